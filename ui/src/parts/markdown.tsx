import { Component } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { render, Splitter, type Block } from "../markdown.ts";

/** A block that has not changed keeps its nodes: selection and focus in it survive while the next one streams. */
class BlockView extends Component<Block> {
    override shouldComponentUpdate(next: Block): boolean {
        return next.source !== this.props.source || next.definitions !== this.props.definitions;
    }

    override render(block: Block) {
        return <div dangerouslySetInnerHTML={{ __html: render(block) }} />;
    }
}

const drawn = 300_000; // more than any model says in one reply: drawing it would hold up the page

const step = 10; // new blocks a frame, so that a burst of text does not hold up keys

export function Markdown({ text, live }: { text: string; live?: boolean }) {
    const splitter = useRef<Splitter>(undefined);
    const shown = useRef(live ? 0 : Infinity);
    const [, redraw] = useState(0);
    const parts = text.length > drawn ? [] : (splitter.current ??= new Splitter()).split(text);
    const upTo = Math.min(parts.length, shown.current + step);
    useLayoutEffect(() => {
        if (shown.current !== Infinity) shown.current = upTo;
        if (upTo >= parts.length) return;
        const frame = requestAnimationFrame(() => redraw((n) => n + 1));
        return () => cancelAnimationFrame(frame);
    });
    if (text.length > drawn) return <pre class="plain" tabindex={0}>{text}</pre>;
    return <div class="markdown" onClick={onClick}>{parts.slice(0, upTo).map((block, i) => <BlockView key={i} {...block} />)}</div>;
}

/** A sentence of the server's with `names` in it. */
export function Inline({ text }: { text: string }) {
    return <>{text.split(/`([^`\n]+)`/).map((piece, i) => (i % 2 ? <code key={i}>{piece}</code> : piece))}</>;
}

export function copy(button: HTMLElement, text: string): void {
    const before = button.textContent;
    void navigator.clipboard.writeText(text).then(() => "Copied", () => "Not allowed").then((said) => {
        button.textContent = said;
        setTimeout(() => { button.textContent = before; }, 1500);
    });
}

function leaves(url: string): boolean {
    return confirm(`This link leaves your machine:\n\n${url}\n\nOpen it in a new tab?`);
}

function onClick(e: MouseEvent): void {
    const target = e.target as HTMLElement;
    const code = target.closest(".code");
    if (target.matches("button.copy")) {
        copy(target, code?.querySelector("code")?.textContent ?? "");
    } else if (target.matches("button.wrap")) {
        target.setAttribute("aria-pressed", String(code!.classList.toggle("wrapped")));
    } else if (target.matches("button.remote-image")) {
        const url = target.dataset.src ?? "";
        if (/^https?:/i.test(url) && leaves(url)) window.open(url, "_blank", "noopener,noreferrer");
    } else {
        const link = target.closest("a");
        if (link?.href && !leaves(link.href)) e.preventDefault();
    }
}
