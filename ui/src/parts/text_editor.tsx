import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useDraft } from "../draft.ts";
import { Icon } from "../icon.tsx";

/** A text of the user's: Ctrl+S saves; what is not saved is said, and kept as the draft `keep` until it is saved or taken back. When the text was changed by somebody else meanwhile, both are shown. `save` gives true when it is done. `check` runs a moment after the last key. */
export function TextEditor({ label, keep, text, rows = 18, save, check, leave, children, limit }: {
    label: string; keep: string; text: string; rows?: number; save(text: string): Promise<true | undefined>; check?(text: string): void; leave?(): void; children?: ComponentChildren; limit?: number;
}) {
    const draft = useDraft(keep, text), { now: typed, dirty, set: setTyped } = draft;
    const [saving, setSaving] = useState(false);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    useEffect(() => {
        if (!check) return;
        timer.current = setTimeout(() => check(typed), 250);
        return () => clearTimeout(timer.current);
    }, [typed]);
    const size = new TextEncoder().encode(typed).length, over = limit !== undefined && size > limit;
    const store = async () => {
        if (!dirty || saving || over) return;
        setSaving(true);
        if (await save(typed)) draft.stored(typed);
        setSaving(false);
    };
    return <form class="text-editor" onSubmit={(e) => { e.preventDefault(); void store(); }}>
        <textarea class="code-field" rows={rows} aria-label={label} value={typed} spellcheck={false} onInput={(e) => setTyped(e.currentTarget.value)}
            onKeyDown={(e) => { if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "s") { e.preventDefault(); void store(); } }} />
        {children}
        <div class="choices"><button type="submit" class="primary" disabled={!dirty || saving || over} title="Ctrl+S">{saving ? "Saving…" : "Save"}</button>
            {dirty ? <button type="button" class="quiet" onClick={draft.drop}>Take the changes back</button> : null}
            {leave ? <button type="button" class="quiet" onClick={() => { if (!dirty || confirm("What you typed is not saved. Leave it?")) { draft.drop(); leave(); } }}>Close the editor</button> : null}
            <span class={`small ${over ? "field-problem" : "muted"}`} role="status">{over ? `${size} of ${limit} bytes: shorten it` : limit !== undefined ? `${size} of ${limit} bytes` : dirty ? "not saved" : ""}</span></div>
        {draft.changed ? <section aria-label="As it is now"><p class="notice warn" role="alert"><Icon name="triangle" size={14} label="Changed meanwhile" /> <span>{label} has changed meanwhile. Below is how it is now: take over what is new, then save. What you wrote takes its place.</span></p>
            <pre class="plain" tabindex={0}>{text}</pre></section> : null}
    </form>;
}
