/** A unified diff, coloured by line; the sign stays, so that colour is not the only mark. */
export function Diff({ text }: { text: string }) {
    let head = false; // in the lines by which git names a file
    return <pre class="diff" tabindex={0}>{text.replace(/\n+$/, "").split("\n").map((line, i) => {
        if (line.startsWith("diff --git ")) head = true;
        else if (line.startsWith("@@")) head = false;
        const kind = head ? "file" : line.startsWith("@@") ? "hunk" : line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : "";
        return <span key={i} class={kind}>{line || " "}{"\n"}</span>;
    })}</pre>;
}
