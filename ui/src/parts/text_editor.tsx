import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** A text of the user's: Ctrl+S saves; what is not saved is said, and asked about before it is left. `check` runs a moment after the last key. */
export function TextEditor({ label, text, rows = 18, save, check, leave, children, limit }: {
    label: string; text: string; rows?: number; save(text: string): Promise<unknown>; check?(text: string): void; leave?(): void; children?: ComponentChildren; limit?: number;
}) {
    const [typed, setTyped] = useState(text);
    const [saving, setSaving] = useState(false);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    const base = useRef(text);
    useEffect(() => { // it was changed elsewhere while nothing was typed here
        if (typed === base.current) setTyped(text);
        base.current = text;
    }, [text]);
    useEffect(() => {
        if (!check) return;
        timer.current = setTimeout(() => check(typed), 250);
        return () => clearTimeout(timer.current);
    }, [typed]);
    const dirty = typed !== text, size = new TextEncoder().encode(typed).length, over = limit !== undefined && size > limit;
    useEffect(() => {
        if (!dirty) return;
        const stay = (e: BeforeUnloadEvent) => e.preventDefault();
        window.addEventListener("beforeunload", stay);
        return () => window.removeEventListener("beforeunload", stay);
    }, [dirty]);
    const store = async () => {
        if (!dirty || saving || over) return;
        setSaving(true);
        await save(typed);
        setSaving(false);
    };
    return <form class="text-editor" onSubmit={(e) => { e.preventDefault(); void store(); }}>
        <textarea class="code-field" rows={rows} aria-label={label} value={typed} spellcheck={false} onInput={(e) => setTyped(e.currentTarget.value)}
            onKeyDown={(e) => { if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s") { e.preventDefault(); void store(); } }} />
        {children}
        <div class="choices"><button type="submit" class="primary" disabled={!dirty || saving || over} title="Ctrl+S">{saving ? "Saving…" : "Save"}</button>
            {dirty ? <button type="button" class="quiet" onClick={() => setTyped(text)}>Take the changes back</button> : null}
            {leave ? <button type="button" class="quiet" onClick={() => { if (!dirty || confirm("What you typed is not saved. Leave it?")) leave(); }}>Close the editor</button> : null}
            <span class={`small ${over ? "field-problem" : "muted"}`} role="status">{over ? `${size} of ${limit} bytes: shorten it` : limit !== undefined ? `${size} of ${limit} bytes` : dirty ? "not saved" : ""}</span></div>
    </form>;
}
