import { Component } from "preact";
import { useMemo } from "preact/hooks";
import { blocks, render } from "../markdown.ts";

/** A block that has not changed keeps its nodes: selection and focus in it survive while the next one streams. */
class Block extends Component<{ source: string }> {
    override shouldComponentUpdate(next: { source: string }): boolean {
        return next.source !== this.props.source;
    }

    override render({ source }: { source: string }) {
        return <div dangerouslySetInnerHTML={{ __html: render(source) }} />;
    }
}

export function Markdown({ text }: { text: string }) {
    const parts = useMemo(() => blocks(text), [text]);
    return <div class="markdown" onClick={onClick}>{parts.map((source, i) => <Block key={i} source={source} />)}</div>;
}

function onClick(e: MouseEvent): void {
    const target = e.target as HTMLElement;
    if (target.matches("button.copy")) {
        const code = target.closest(".code")?.querySelector("code")?.textContent ?? "";
        void navigator.clipboard.writeText(code).then(() => {
            target.textContent = "Copied";
            setTimeout(() => { target.textContent = "Copy"; }, 1500);
        });
        return;
    }
    if (target.matches("button.remote-image")) {
        window.open(target.dataset.src, "_blank", "noopener,noreferrer");
        return;
    }
    const link = target.closest("a");
    if (link && !confirm(`This link leaves your machine:\n\n${link.href}\n\nOpen it in a new tab?`)) e.preventDefault();
}
