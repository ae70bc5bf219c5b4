/** A unified diff, coloured by line; the sign stays, so that colour is not the only mark. */
export function Diff({ text }: { text: string }) {
    return <pre class="diff" tabindex={0}>{text.replace(/\n+$/, "").split("\n").map((line, i) => {
        const kind = line.startsWith("@@") ? "hunk" : line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : "";
        return <span key={i} class={kind}>{line || " "}{"\n"}</span>;
    })}</pre>;
}
