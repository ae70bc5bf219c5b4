import { useState } from "preact/hooks";
import { contentText, diffOf, type Call, type Question } from "../fold.ts";
import { Icon } from "../icon.tsx";
import { inspect } from "../state.ts";
import type { Json } from "../types.ts";
import { bytes, millis } from "../words.ts";
import { DeniedHelp } from "./denied.tsx";
import { Diff } from "./diff.tsx";
import { LimitHelp, LimitsStrip } from "./limits.tsx";

/** What a call was given, what it says, what it changed, and what it may use. `alone`: outside of a conversation, under the form that made it. */
export function CallBody({ call, alone = false }: { call: Call; alone?: boolean }) {
    const text = contentText(call.content);
    const diff = diffOf(call);
    const images = Array.isArray(call.content) ? call.content.filter((b) => b.type === "image") : [];
    return <>
        {diff || alone ? null : <><p class="label">Input</p><Input input={call.input} /></>}
        {call.question?.answered ? <Answered question={call.question} /> : null}
        {call.state === "running" && call.output ? <><p class="label">Output so far</p><Long text={call.output} tail /></> : null}
        <Stages call={call} />
        <Fetched call={call} />
        {diff ? <><p class="label">Change</p><Diff text={diff} /></> : null}
        {call.content !== undefined ? <><p class="label">Result</p>{text ? <Long text={text} /> : images.length ? null : <p class="muted small">Nothing.</p>}</> : null}
        {images.map((b, i) => b.type === "image" && /^image\/[a-z.+-]+$/.test(b.mime)
            ? <img key={i} class="result-image" alt={`Image ${i + 1} of the result`} src={`data:${b.mime};base64,${b.data}`} /> : null)}
        {diff && !alone ? <details class="fold"><summary>Input</summary><Input input={call.input} /></details> : null}
        <LimitsStrip call={call} />
        <DeniedHelp call={call} />
        {call.limit && !alone ? <LimitHelp call={call} /> : null}
        {call.receipt && !alone ? <button type="button" class="small-button" onClick={() => inspect(call.id)}>Receipt</button> : null}
    </>;
}

/** Members one under the other; text as it is, not as JSON writes it. */
export function Input({ input }: { input: Json }) {
    if (!input || typeof input !== "object" || Array.isArray(input)) return <pre class="plain" tabindex={0}>{typeof input === "string" ? input : JSON.stringify(input)}</pre>;
    const members = Object.entries(input);
    if (members.length === 0) return <p class="muted small">Nothing.</p>;
    return <dl class="input">{members.map(([name, value]) => {
        const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
        return <div key={name}><dt>{name}</dt><dd>{text.includes("\n") || text.length > 200 ? <Long text={text} /> : <code>{text}</code>}</dd></div>;
    })}</dl>;
}

/** The stages of a shell command: what ran, how it ended, how long it took. */
function Stages({ call }: { call: Call }) {
    const { stages, exit_status: status, cwd } = call.metadata ?? {};
    if (!Array.isArray(stages) || stages.length === 0) return null;
    return <><p class="label">Stages</p>
        <ol class="stages">{stages.map((stage, i) => {
            const { command, status: ended, ms } = (stage ?? {}) as Record<string, Json>;
            return <li key={i} class={ended === 0 ? "" : "failed"}><code>{String(command ?? "")}</code><span class="stage-status">{ended === 0 ? <Icon name="check" size={12} label="ended with 0" /> : `ended with ${String(ended)}`}</span>
                <span class="card-time">{typeof ms === "number" ? millis(ms) : ""}</span></li>;
        })}</ol>
        <p class="muted small">{typeof status === "number" ? `Exit status ${status}` : ""}{typeof cwd === "string" ? ` · in ${cwd}` : ""}</p></>;
}

/** A page that was fetched: what it is called, where it came from. */
function Fetched({ call }: { call: Call }) {
    const { title, host, final_url: url, status, bytes: size, cached } = call.metadata ?? {};
    if (typeof host !== "string" && typeof url !== "string") return null;
    const facts = [typeof host === "string" ? host : "", typeof status === "number" ? `status ${status}` : "", typeof size === "number" ? bytes(size) : "", cached === true ? "from the cache" : ""].filter(Boolean);
    return <><p class="label">Page</p><p class="fetched"><Icon name="globe" size={14} /> <strong>{typeof title === "string" && title ? title : "Without a title"}</strong>
        <span class="muted small">{facts.join(" · ")}</span></p>{typeof url === "string" ? <p class="path small">{url}</p> : null}</>;
}

/** What was asked, and what the user said. */
function Answered({ question }: { question: Question }) {
    const said = question.answers?.map((a) => [...(a.selected ?? []), a.text].filter(Boolean).join(", ")) ?? [];
    if (question.kind === "permission") return null;
    return <><p class="label">Answer</p><dl class="input">{question.questions.map((q, i) => <div key={i}><dt>{q.header || q.question}</dt><dd>{said[i] || question.note || "declined"}</dd></div>)}
        {question.questions.length === 0 ? <div><dt>{question.text}</dt><dd>{[question.answered, question.note].filter(Boolean).join(": ")}</dd></div> : null}</dl></>;
}

const shown = 4000;
/** Head and tail, all of it on demand. */
export function Long({ text, tail }: { text: string; tail?: boolean }) {
    const [all, setAll] = useState(false);
    if (all || text.length <= shown) return <pre class="plain" tabindex={0} ref={(el) => { if (tail && el) el.scrollTop = el.scrollHeight; }}>{text}</pre>;
    const cut = tail ? `…${text.slice(-shown)}` : `${text.slice(0, shown * 0.75)}\n\n… ${text.length - shown} more characters …\n\n${text.slice(-shown * 0.25)}`;
    return <><pre class="plain" tabindex={0} ref={(el) => { if (tail && el) el.scrollTop = el.scrollHeight; }}>{cut}</pre><button type="button" class="quiet" onClick={() => setAll(true)}>Show all</button></>;
}
