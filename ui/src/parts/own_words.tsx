import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** One line of the user's own; Esc goes back. */
export function OwnWords({ label: name, placeholder, sent, send, leave }: {
    label: string; placeholder: string; sent: boolean; send(text: string): void; leave(): void;
}) {
    const [text, setText] = useState("");
    const box = useRef<HTMLInputElement>(null);
    useLayoutEffect(() => box.current?.focus(), []); // at once: what is typed now is meant for it. And once: what is drawn again must not take the focus from elsewhere
    return <form class="instead" onSubmit={(e) => { e.preventDefault(); if (text.trim()) send(text); }}>
        <input ref={box} value={text} placeholder={placeholder}
            aria-label={name} onInput={(e) => setText(e.currentTarget.value)}
            onKeyDown={(e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); leave(); } }} />
        <button type="submit" disabled={!text.trim() || sent}>Send</button>
        <button type="button" class="quiet" onClick={leave}>Back</button>
    </form>;
}
