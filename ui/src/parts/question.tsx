import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { answer, app, showQuestion, useApp } from "../state.ts";
import { replacement, type Call, type Choose, type Question } from "../fold.ts";
import { Input } from "./call_body.tsx";
import { Diff } from "./diff.tsx";
import { GrantForm } from "./grant_form.tsx";
import { Inline, Markdown } from "./markdown.tsx";
import { TwoTexts } from "./mcp_server.tsx";
import { OwnWords } from "./own_words.tsx";
import { Asked } from "./question_ask.tsx";

const label: Record<string, string> = { once: "Once", session: "This session", workspace: "This workspace", always: "Always", no: "No",
    approve: "Approve", approve_edits: "Approve, and accept edits" };
const names: Record<string, string> = { permission: "Permission", network: "Network access", trust: "A tool that has changed", ask: "A question", plan: "A plan to approve" };

/** Inline where the work stopped; never a modal window, never a time-out. `session`: the one that asks. */
export function QuestionView({ session, question, call }: { session: string; question: Question; call: Call }) {
    const [sent, setSent] = useState(false);
    const armed = useApp(() => [app.armed]).armed.has(question.id);
    const box = useRef<HTMLDivElement>(null);
    useEffect(() => {
        // the focus goes to the question as a whole, so that no stray Enter answers it; never out of a text that is being written
        const at = document.activeElement;
        if (!at || at === document.body || at.matches(".log") || (at instanceof HTMLTextAreaElement && (!at.value || at.readOnly))) box.current?.focus({ preventScroll: true });
        return showQuestion(question.id);
    }, [question.id]);
    const choose: Choose = (choice, text = "", answers) => { setSent(true); void answer(session, question.id, choice, text, answers).then(() => setSent(false)); };
    const back = () => box.current?.focus();
    return <div class="question" role="group" aria-label={names[question.kind] ?? "Question"} tabindex={-1} ref={box} data-kind={question.kind} data-question={question.id} data-armed={armed ? "" : undefined}>
        {question.kind === "ask" ? <Asked questions={question.questions} text={question.text} sent={sent} armed={armed} choose={choose} /> : <>
            <p><Icon name="hand" size={14} label="Waiting for you" /> <span><Inline text={question.text} /></span></p>
            {question.kind === "trust" ? <TwoTexts approved={question.approved} now={question.now} /> : null}
            {question.plan ? <div class="plan"><Markdown text={question.plan} live={false} /></div> : null}
            <Choices question={question} sent={sent} armed={armed} choose={choose} back={back}
                instead={question.kind === "plan" ? ["No, change this…", "What should be different?"] : ["No, do this instead…", `What should it do instead of ${call.tool}?`]} />
            {question.grant ? <details class="fold"><summary>With an end, or a number of calls</summary>
                <GrantForm tool={question.grant.tool} host={question.grant.host} session={session} done={() => choose("once")} /></details> : null}
            {question.kind === "plan" ? null : <details class="fold"><summary>Details</summary><Proposal call={call} /></details>}
        </>}
    </div>;
}

/** A button a choice, numbered for the keyboard, and a text in the place of "no". */
function Choices({ question, sent, armed, choose, back, instead: [says, placeholder] }: { question: Question; sent: boolean; armed: boolean; choose: Choose; back(): void; instead: [string, string] }) {
    const [instead, setInstead] = useState<string | null>(null);
    if (instead !== null) {
        return <OwnWords label="Do this instead" placeholder={placeholder} sent={sent} send={(text) => choose("no", text)} leave={() => { setInstead(null); back(); }} />;
    }
    return <div class="choices">
        {question.choices.map((choice, i) => <button type="button" key={choice} disabled={sent} aria-disabled={!armed} class={i === 0 ? "primary" : ""}
            aria-keyshortcuts={String(i + 1)} onClick={() => { if (armed) choose(choice); }}>{label[choice] ?? choice} <kbd aria-hidden="true">{i + 1}</kbd></button>)}
        {question.choices.includes("no") ? <button type="button" class="quiet" disabled={sent} onClick={() => setInstead("")}>{says}</button> : null}
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
