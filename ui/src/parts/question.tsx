import { useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { answer } from "../state.ts";
import type { Call, Question } from "../fold.ts";
import type { Choice } from "../types.ts";

const label: Record<Choice, string> = { once: "Once", session: "This session", always: "Always", no: "No" };

/** Inline where the work stopped; never a modal window, never a time-out. */
export function QuestionView({ question, call }: { question: Question; call: Call }) {
    const [instead, setInstead] = useState<string | null>(null);
    const [sent, setSent] = useState(false);
    const choose = (choice: Choice, text = "") => { setSent(true); void answer(question.id, choice, text).then(() => setSent(false)); };
    return <div class="question" role="group" aria-label="Permission">
        <p><Icon name="hand" size={14} /> {question.text}</p>
        {instead === null
            ? <div class="choices">
                {question.choices.map((choice, i) => <button type="button" key={choice} disabled={sent} class={choice === "once" ? "primary" : ""}
                    onClick={() => choose(choice)}>{label[choice]} <kbd>{i + 1}</kbd></button>)}
                <button type="button" class="quiet" disabled={sent} onClick={() => setInstead("")}>No, do this instead…</button>
            </div>
            : <form class="instead" onSubmit={(e) => { e.preventDefault(); choose("no", instead); }}>
                <input autofocus value={instead} placeholder={`What should it do instead of ${call.tool}?`} aria-label="Do this instead"
                    onInput={(e) => setInstead(e.currentTarget.value)}
                    onKeyDown={(e) => { if (e.key === "Escape") { e.stopPropagation(); setInstead(null); } }} />
                <button type="submit" disabled={!instead.trim() || sent}>Send</button>
            </form>}
    </div>;
}
