import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import type { View } from "../fold.ts";
import { focusComposer, send, stop, toast, useApp } from "../state.ts";

const key = (view: View | null) => `draft:${view?.id ?? "new"}`;

/** Enter sends, Shift+Enter breaks the line; the draft of each session is kept in this browser. */
export function Composer({ view }: { view: View | null }) {
    const box = useRef<HTMLTextAreaElement>(null);
    const [text, setText] = useState("");
    const [sending, setSending] = useState(false);
    const running = view?.running ?? false;
    useApp(() => [view?.running]);

    useEffect(() => {
        const fill = (e: Event) => { setText((e as CustomEvent<string>).detail); box.current?.focus(); };
        const focus = () => box.current?.focus();
        window.addEventListener("bx-fill", fill);
        window.addEventListener("bx-focus", focus);
        return () => { window.removeEventListener("bx-fill", fill); window.removeEventListener("bx-focus", focus); };
    }, []);
    useEffect(() => {
        setText(sessionStorage.getItem(key(view)) ?? "");
        if (!document.querySelector(".question")) focusComposer();
    }, [view?.id]);
    useLayoutEffect(() => {
        const el = box.current!;
        el.style.height = "auto";
        el.style.height = `${Math.min(el.scrollHeight, innerHeight * 0.4)}px`;
    }, [text]);

    const edit = (value: string) => {
        setText(value);
        if (value) sessionStorage.setItem(key(view), value);
        else sessionStorage.removeItem(key(view));
    };
    const submit = async () => {
        const message = text.trim();
        if (!message || running || sending) return;
        setSending(true);
        const before = key(view);
        if (await send(message)) { sessionStorage.removeItem(before); setText(""); }
        setSending(false);
    };
    return <form class="composer" onSubmit={(e) => { e.preventDefault(); void submit(); }}>
        <textarea ref={box} rows={1} value={text} aria-label="Message" maxLength={1_000_000} readOnly={sending}
            placeholder={running ? "Working. Esc stops it." : view ? "Reply" : "What should be done?"}
            onInput={(e) => edit(e.currentTarget.value)}
            onKeyDown={(e) => {
                if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); void submit(); }
            }} />
        {running
            ? <button type="button" class="round stop" aria-label="Stop" title="Stop (Esc)" onClick={() => { toast(null); void stop(); }}><Icon name="square" size={14} /></button>
            : <button type="submit" class="round" aria-label="Send" title="Send (Enter)" disabled={!text.trim() || sending}><Icon name="send" /></button>}
    </form>;
}
