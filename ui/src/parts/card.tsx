import { useEffect, useState } from "preact/hooks";
import { Icon, type IconName } from "../icon.tsx";
import { contentText, type Call, type CallState } from "../fold.ts";
import { app, change } from "../state.ts";
import type { Json } from "../types.ts";
import { millis } from "../words.ts";
import { Diff } from "./diff.tsx";
import { LimitsStrip, limitSetting } from "./limits.tsx";
import { QuestionView } from "./question.tsx";

const words: Record<CallState, string> = { writing: "being written", queued: "queued", waiting: "waiting for you", running: "running", done: "done",
    limited: "limited", denied: "denied", failed: "failed" };
const tone: Record<CallState, string> = { writing: "quiet", queued: "quiet", waiting: "wait", running: "wait", done: "ok", limited: "warn", denied: "stop", failed: "stop" };

function levelIcon(call: Call): IconName {
    if (call.level === "write") return "pencil";
    if (call.level === "execute" || call.level === "dangerous") return "terminal";
    return call.level === "read_only" ? "eye" : "box";
}

/** The one argument that says what the call is about. */
export function mainArgument(input: Json): string {
    if (typeof input === "string") return input.slice(0, 120);
    if (!input || typeof input !== "object" || Array.isArray(input)) return "";
    for (const key of ["file_path", "path", "pattern", "command", "url", "query"]) {
        const value = input[key];
        if (typeof value === "string") return key === "path" && typeof input.pattern === "string" ? `${input.pattern} in ${value}` : value;
    }
    const first = Object.entries(input)[0];
    return first ? `${first[0]}: ${typeof first[1] === "string" ? first[1] : JSON.stringify(first[1])}` : "";
}

export function CallCard({ call, overlap }: { call: Call; overlap?: { left: number; width: number } }) {
    const [open, setOpen] = useState(false);
    const body = `call-${call.id}`;
    return <section class={`card ${tone[call.state]}`} aria-label={`${call.tool} call, ${words[call.state]}`}>
        <button type="button" class="card-line" aria-expanded={open} aria-controls={body} onClick={() => setOpen(!open)}>
            <span class={`turn ${open ? "down" : ""}`}><Icon name="chevron" size={14} /></span>
            <Icon name={levelIcon(call)} size={14} />
            <span class="card-tool">{call.tool || "…"}</span>
            <span class="card-argument">{mainArgument(call.input)}</span>
            <State call={call} />
        </button>
        {overlap ? <span class="overlap" aria-hidden="true"><Bar {...overlap} /></span> : null}
        {call.state === "limited" && call.limit ? <p class="card-note warn">{firstLine(contentText(call.content))}</p> : null}
        {call.state === "denied" && (call.decision?.reason || call.question?.note)
            ? <p class="card-note">{call.decision?.reason ?? call.question?.note}</p> : null}
        {call.question && !call.question.answered && call.state === "waiting" ? <QuestionView question={call.question} call={call} /> : null}
        {open ? <div class="card-body" id={body}><CallBody call={call} /></div> : null}
    </section>;
}

/** Sizes set through the DOM: the content policy allows no style attribute in markup. */
function Bar({ left, width }: { left: number; width: number }) {
    return <span class="overlap-bar" ref={(el) => {
        el?.style.setProperty("left", `${left * 100}%`);
        el?.style.setProperty("width", `${width * 100}%`);
    }} />;
}

function State({ call }: { call: Call }) {
    const [now, setNow] = useState(0);
    useEffect(() => {
        if (call.state !== "running") return;
        const timer = setInterval(() => setNow(Date.now()), 250);
        return () => clearInterval(timer);
    }, [call.state]);
    const elapsed = call.state === "running" && call.startedAt && now > call.startedAt ? millis(now - call.startedAt) : millis(call.ms);
    return <span class={`card-state ${tone[call.state]}`}>
        {call.state === "running" || call.state === "writing" ? <span class="pulse" /> : null}
        {call.state === "done" ? <Icon name="check" size={14} label="done" /> : <span>{call.limit && call.state === "limited" ? `${call.limit} limit` : words[call.state]}</span>}
        {elapsed ? <span class="card-time">{elapsed}</span> : null}
    </span>;
}

export function CallBody({ call }: { call: Call }) {
    const text = contentText(call.content);
    const diff = typeof call.metadata?.diff === "string" ? call.metadata.diff : null;
    const images = Array.isArray(call.content) ? call.content.filter((b) => b.type === "image") : [];
    return <>
        <h3>Input</h3>
        <pre class="plain" tabindex={0}>{typeof call.input === "string" ? call.input : JSON.stringify(call.input, null, 2)}</pre>
        {call.state === "running" && call.output ? <><h3>Output so far</h3><Long text={call.output} tail /></> : null}
        {diff ? <><h3>Change</h3><Diff text={diff} /></> : null}
        {call.content !== undefined ? <><h3>Result</h3>{text ? <Long text={text} /> : images.length ? null : <p class="muted">Nothing.</p>}</> : null}
        {images.map((b, i) => b.type === "image" ? <img key={i} class="result-image" alt={`Image ${i + 1} of the result`} src={`data:${b.mime};base64,${b.data}`} /> : null)}
        <LimitsStrip call={call} />
        {call.limit ? <p class="muted">{limitSetting(call)}</p> : null}
        {call.receipt ? <button type="button" class="quiet" onClick={() => change(() => { app.inspected = call.id; app.panel = "call"; })}>Receipt</button> : null}
    </>;
}

const shown = 4000;
function Long({ text, tail }: { text: string; tail?: boolean }) {
    const [all, setAll] = useState(false);
    if (all || text.length <= shown) return <pre class="plain" tabindex={0}>{text}</pre>;
    const cut = tail ? `…${text.slice(-shown)}` : `${text.slice(0, shown * 0.75)}\n\n… ${text.length - shown} more characters …\n\n${text.slice(-shown * 0.25)}`;
    return <><pre class="plain" tabindex={0}>{cut}</pre><button type="button" class="quiet" onClick={() => setAll(true)}>Show all</button></>;
}

function firstLine(text: string): string {
    return text.split("\n", 1)[0] ?? "";
}
