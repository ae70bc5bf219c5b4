import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { Icon } from "../icon.tsx";
import type { View } from "../fold.ts";
import { command } from "../sessions.ts";
import { app, change, draftOf, focusComposer, send, stop, toast, useApp } from "../state.ts";
import { shownItems } from "../versions.ts";
import { Offers, useCompletion } from "./complete.tsx";

/** Enter sends, Shift+Enter breaks the line; the draft of each session is kept in this browser. One box a session: what it does when another is open goes into its draft. */
export function Composer({ view }: { view: View | null }) {
    const box = useRef<HTMLTextAreaElement>(null), draft = draftOf(view?.id);
    const [text, setText] = useState(() => sessionStorage.getItem(draft) ?? "");
    const [caret, setCaret] = useState(text.length);
    const [wrong, setWrong] = useState<string | null>(null); // what the server said of a command
    const running = view?.running ?? false;
    const sending = useApp(() => [view?.running, app.sending.has(draft)]).sending.has(draft);

    const edit = (value: string, at = value.length) => {
        setText(value);
        setCaret(at);
        setWrong(null);
        if (value) sessionStorage.setItem(draft, value);
        else sessionStorage.removeItem(draft);
    };
    const put = (value: string, at: number) => {
        edit(value, at);
        requestAnimationFrame(() => box.current?.setSelectionRange(at, at));
    };
    const completion = useCompletion(text, caret, put);
    const latest = useRef(edit);
    latest.current = edit;

    useLayoutEffect(() => { // at once: what is typed now is meant for this box
        const fill = (e: Event) => { latest.current((e as CustomEvent<string>).detail); box.current?.focus(); };
        const focus = () => box.current?.focus();
        const read = (e: Event) => {
            if ((e as CustomEvent<string>).detail !== draft) return;
            const kept = sessionStorage.getItem(draft) ?? "";
            setText(kept);
            setCaret(kept.length);
        };
        window.addEventListener("bx-fill", fill);
        window.addEventListener("bx-focus", focus);
        window.addEventListener("bx-draft", read);
        if (!document.querySelector(".question")) focusComposer();
        return () => { window.removeEventListener("bx-fill", fill); window.removeEventListener("bx-focus", focus); window.removeEventListener("bx-draft", read); };
    }, []);
    const fit = (el = box.current!) => {
        el.style.height = "auto";
        el.style.height = `${Math.min(el.scrollHeight, innerHeight * 0.4)}px`;
    };
    useLayoutEffect(() => fit(), [text]);
    useLayoutEffect(() => { // a phone that is turned, a panel that opens: the lines break elsewhere
        const el = box.current!;
        let width = 0;
        const observer = new ResizeObserver(([entry]) => {
            if (entry!.contentRect.width === width) return;
            width = entry!.contentRect.width;
            fit(el);
        });
        observer.observe(el);
        return () => observer.disconnect();
    }, []);

    const submit = async (plain = false) => {
        const message = text.trim();
        if (!message || sending) return;
        let at = draft, sent = false;
        change(() => app.sending.add(at));
        const begun = (id: string) => { // the draft goes along into the new session
            sessionStorage.setItem(draftOf(id), text);
            sessionStorage.removeItem(at);
            change(() => { app.sending.delete(at); app.sending.add(at = draftOf(id)); });
        };
        if (message.startsWith("//") && !plain) sent = await send(message.slice(1), undefined, begun); // a message that begins with a slash
        else if (message.startsWith("/") && !plain) {
            try {
                await command(message);
                sent = true;
            } catch (e) {
                const said = e instanceof ApiError || e instanceof Error ? e.message : String(e);
                if (box.current) setWrong(said);
                else toast({ text: `${message}: ${said}` });
            }
        } else sent = await send(message, undefined, begun);
        if (sent) {
            sessionStorage.removeItem(at);
            setWrong(null);
        }
        change(() => app.sending.delete(at));
        window.dispatchEvent(new CustomEvent("bx-draft", { detail: at }));
    };
    const onKey = (e: KeyboardEvent) => {
        const { offers, at } = completion;
        if (e.isComposing) return;
        if (offers.length) {
            const done = e.key === "ArrowDown" ? () => completion.move(1) : e.key === "ArrowUp" ? () => completion.move(-1) : e.key === "Escape" ? completion.close
                : e.key === "Tab" && !e.shiftKey || e.key === "Enter" && !e.shiftKey ? () => completion.pick(offers[at]!) : null;
            const whole = e.key === "Enter" && offers[at]!.put.trim() === text.trim(); // nothing is left to complete
            if (done && !whole) {
                e.preventDefault();
                e.stopPropagation();
                return done();
            }
        }
        if (e.key === "Enter" && !e.shiftKey) { e.preventDefault(); void submit(); }
        else if (e.key === "Escape" && wrong) { e.preventDefault(); e.stopPropagation(); setWrong(null); }
        else if (e.key === "ArrowUp" && !text && view) {
            const last = shownItems(view).findLast((i) => i.kind === "user");
            if (last?.kind !== "user" || last.seq === undefined) return;
            e.preventDefault();
            change(() => { app.editing = { session: view.id, seq: last.seq!, text: last.text }; });
        }
    };
    const follow = (e: Event) => setCaret((e.currentTarget as HTMLTextAreaElement).selectionStart);
    const choosing = completion.offers.length > 0;
    return <form class="composer-box" onSubmit={(e) => { e.preventDefault(); void submit(); }}>
        <Offers completion={completion} id="offers" />
        {wrong ? <div class="wrong" role="alert"><Icon name="triangle" size={14} /><span>{wrong}</span>
            <button type="button" class="quiet" onClick={() => { void submit(true); box.current?.focus(); }}>Send as a message</button></div> : null}
        <div class="composer">
            <textarea ref={box} rows={1} value={text} aria-label="Message" maxLength={1_000_000} readOnly={sending} spellcheck
                aria-autocomplete="list" aria-controls={choosing ? "offers" : undefined} aria-activedescendant={choosing ? `offers-${completion.at}` : undefined}
                placeholder={running ? "Add a word while it works" : view ? "Reply, or / for commands" : "What should be done?"}
                onInput={(e) => edit(e.currentTarget.value, e.currentTarget.selectionStart)} onKeyUp={follow} onClick={follow} onKeyDown={onKey} />
            {running ? <button type="button" class="round stop" aria-label="Stop" title="Stop (Esc)" onClick={() => { toast(null); void stop(); }}><Icon name="square" size={14} /></button> : null}
            {!running || text.trim() ? <button type="submit" class="round" aria-label={running ? "Send at the next turn" : "Send"} title={running ? "Send at the next turn (Enter)" : "Send (Enter)"} disabled={!text.trim() || sending}><Icon name="send" /></button> : null}
        </div>
    </form>;
}
