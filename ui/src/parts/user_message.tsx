import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { forkBefore, resend } from "../sessions.ts";
import { app, change, focusComposer, useApp } from "../state.ts";
import type { Item, View } from "../fold.ts";
import { exact } from "../words.ts";
import { copyText } from "./copy.tsx";

/** What the user said: can be edited and sent again, or be where another session begins. */
export function UserMessage({ item, view, old }: { item: Extract<Item, { kind: "user" }>; view: View; old?: boolean }) {
    const editing = useApp(() => [app.editing?.seq === item.seq && app.editing?.session === view.id, view.running]).editing;
    if (!old && editing && editing.session === view.id && editing.seq === item.seq) return <Editor view={view} seq={editing.seq} before={item.text} />;
    const edit = () => change(() => { app.editing = { session: view.id, seq: item.seq!, text: item.text }; });
    return <article class="item user" aria-label="You">
        <p title={exact(item.t)}>{item.text}</p>
        {item.queued ? <span class="said-later">said while it worked</span> : null}
        <div class="message-tools">
            <button type="button" class="icon-button" title="Copy" aria-label="Copy this message" onClick={() => copyText(item.text)}><Icon name="copy" size={14} /></button>
            {item.seq === undefined || old ? null : <>
                <button type="button" class="icon-button" title={view.running ? "Edit and send again: the run is stopped for it" : "Edit and send again"} aria-label="Edit this message" onClick={edit}><Icon name="pencil" size={14} /></button>
                <button type="button" class="icon-button" title="Fork: a new session that goes on from before this message" aria-label="Fork at this message" onClick={() => { void forkBefore(view, item.seq!, item.text); }}><Icon name="fork" size={14} /></button></>}
        </div>
    </article>;
}

/** In the message's place. Enter sends, Esc leaves it as it was. */
function Editor({ view, seq, before }: { view: View; seq: number; before: string }) {
    const { editing } = useApp(() => [app.editing?.text, view.running]);
    const box = useRef<HTMLTextAreaElement>(null);
    const text = editing?.text ?? before;
    const grow = () => { const el = box.current!; el.style.height = "auto"; el.style.height = `${Math.min(el.scrollHeight + 2, innerHeight * 0.5)}px`; };
    useLayoutEffect(() => { // once: scrolled away and back it must not take the focus from elsewhere
        if (!app.editing || app.editing.begun) return;
        app.editing.begun = true;
        box.current!.focus();
        box.current!.setSelectionRange(text.length, text.length);
    }, []);
    useLayoutEffect(grow, [text]);
    const leave = () => { change(() => { app.editing = null; }); focusComposer(); };
    const submit = () => { const said = box.current!.value.trim(); if (said) void resend(view, seq, said); }; // what stands there: the last letter may not be drawn yet
    return <form class="item edit-message" aria-label="Edit the message" onSubmit={(e) => { e.preventDefault(); submit(); }}>
        <textarea ref={box} value={text} aria-label="The message in other words" maxLength={1_000_000} onInput={(e) => { const value = e.currentTarget.value; change(() => { app.editing = { session: view.id, seq, text: value, begun: true }; }); }}
            onKeyDown={(e) => {
                if (e.key === "Enter" && !e.shiftKey && !e.isComposing) { e.preventDefault(); submit(); }
                if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); leave(); }
            }} />
        <div class="row"><span class="muted small">{view.running ? "The run is stopped. " : ""}What came after it is kept, folded away.</span><span class="spring" />
            <button type="button" class="quiet" onClick={leave}>Cancel</button><button type="submit" class="primary" disabled={!text.trim()}>{view.running ? "Stop and send" : "Send"}</button></div>
    </form>;
}
