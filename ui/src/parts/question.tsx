import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { answer, app, change, useApp } from "../state.ts";
import { replacement, type Call, type Question } from "../fold.ts";
import type { Choice } from "../types.ts";
import { Input } from "./call_body.tsx";
import { Diff } from "./diff.tsx";
import { Inline } from "./markdown.tsx";

const label: Record<Choice, string> = { once: "Once", session: "This session", always: "Always", no: "No" };
const armAfter = 400; // a digit typed at the moment the question appears was meant for something else

/** Inline where the work stopped; never a modal window, never a time-out. */
export function QuestionView({ question, call }: { question: Question; call: Call }) {
    const [instead, setInstead] = useState<string | null>(null);
    const [sent, setSent] = useState(false);
    const { armed } = useApp(() => [app.armed]);
    const box = useRef<HTMLDivElement>(null);
    useEffect(() => {
        // the focus goes to the question as a whole, so that no stray Enter answers it; never out of a text that is being written
        const at = document.activeElement;
        if (!at || at === document.body || at.matches(".log") || (at instanceof HTMLTextAreaElement && (!at.value || at.readOnly))) box.current?.focus({ preventScroll: true });
        const timer = setTimeout(() => change(() => { app.armed = question.id; }), armAfter);
        return () => clearTimeout(timer);
    }, [question.id]);
    const choose = (choice: Choice, text = "") => { setSent(true); void answer(question.id, choice, text).then(() => setSent(false)); };
    return <div class="question" role="group" aria-label="Permission" tabindex={-1} ref={box} data-armed={armed === question.id ? "" : undefined}>
        <p><Icon name="hand" size={14} label="Waiting for you" /> <span><Inline text={question.text} /></span></p>
        {instead === null
            ? <div class="choices">
                {question.choices.map((choice, i) => <button type="button" key={choice} disabled={sent} class={choice === "once" ? "primary" : ""}
                    aria-keyshortcuts={String(i + 1)} onClick={() => choose(choice)}>{label[choice]} <kbd aria-hidden="true">{i + 1}</kbd></button>)}
                <button type="button" class="quiet" disabled={sent} onClick={() => setInstead("")}>No, do this instead…</button>
            </div>
            : <form class="instead" onSubmit={(e) => { e.preventDefault(); choose("no", instead); }}>
                <input ref={(el) => { if (el && document.activeElement !== el && !instead) el.focus(); }} value={instead} placeholder={`What should it do instead of ${call.tool}?`}
                    aria-label="Do this instead" onInput={(e) => setInstead(e.currentTarget.value)}
                    onKeyDown={(e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); setInstead(null); box.current?.focus(); } }} />
                <button type="submit" disabled={!instead.trim() || sent}>Send</button>
                <button type="button" class="quiet" onClick={() => setInstead(null)}>Back</button>
            </form>}
        <details class="fold"><summary>Details</summary><Proposal call={call} /></details>
    </div>;
}

/** What would be done, as a change where the input is one. */
function Proposal({ call }: { call: Call }) {
    const input = call.input;
    if (input && typeof input === "object" && !Array.isArray(input) && typeof input.old_string === "string" && typeof input.new_string === "string") {
        return <><code class="path">{String(input.file_path ?? "")}</code><Diff text={replacement(input.old_string, input.new_string)} /></>;
    }
    return <Input input={input} />;
}
