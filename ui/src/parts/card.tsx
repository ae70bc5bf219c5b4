import { useEffect, useState } from "preact/hooks";
import { mainArgument } from "../argument.ts";
import { Icon } from "../icon.tsx";
import { levels } from "../levels.ts";
import { noteOf, type Call, type CallState } from "../fold.ts";
import { app, useApp } from "../state.ts";
import { millis } from "../words.ts";
import { CallBody } from "./call_body.tsx";
import { ExecutorLine } from "./executor_line.tsx";
import { Inline } from "./markdown.tsx";
import { QuestionView } from "./question.tsx";

const words: Record<CallState, string> = { writing: "being written", queued: "queued", waiting: "waiting for you", running: "running", done: "done",
    limited: "limited", denied: "denied", failed: "failed", stopped: "stopped" };
const tone: Record<CallState, string> = { writing: "quiet", queued: "quiet", waiting: "wait", running: "wait", done: "ok", limited: "warn", denied: "stop",
    failed: "stop", stopped: "quiet" };
const opened = new Set<string>(); // a card that is scrolled out of the view and comes back is as it was; two sessions may have calls of one id

export function CallCard({ call, overlap }: { call: Call; overlap?: { left: number; width: number } }) {
    const key = `${app.current} ${call.id}`;
    const [, redraw] = useState(0);
    const open = opened.has(key);
    const turn = () => { if (open) opened.delete(key); else opened.add(key); redraw((n) => n + 1); };
    const { inspected, panel } = useApp(() => []);
    const [icon, level] = levels[call.level ?? ""] ?? ["box", ""];
    const body = `call-${call.id}`;
    const note = noteOf(call);
    return <div role="group" class={`card ${tone[call.state]} ${panel === "inspector" && inspected === call.id ? "inspected" : ""}`} data-state={call.state} aria-label={`${call.tool} call, ${words[call.state]}`}>
        <button type="button" class="card-line" aria-expanded={open} aria-controls={open ? body : undefined} onClick={turn}>
            <span class={`turn ${open ? "down" : ""}`}><Icon name="chevron" size={14} /></span>
            <Icon name={icon} size={14} label={level} />
            <span class="card-tool">{call.tool || "…"}</span>
            <span class="card-argument">{mainArgument(call.input)}</span>
            {overlap ? <Overlap {...overlap} /> : null}
            <State call={call} />
        </button>
        {note && !open ? <p class={`card-note ${tone[call.state]}`}>{call.state === "running" ? <code>{note}</code> : <Inline text={note} />}</p> : null}
        {call.question && !call.question.answered && call.state === "waiting" ? <QuestionView key={call.question.id} session={app.current!} question={call.question} call={call} /> : null}
        {call.executor ? <ExecutorLine id={call.executor} /> : null}
        {open ? <div class="card-body" id={body}><CallBody call={call} /></div> : null}
    </div>;
}

/** Sizes set through the DOM: the content policy allows no style attribute in markup. */
function Overlap({ left, width }: { left: number; width: number }) {
    const shown = Math.max(0.06, Math.min(1, width));
    return <span class="overlap" aria-hidden="true"><span ref={(el) => {
        el?.style.setProperty("left", `${Math.min(left, 1 - shown) * 100}%`);
        el?.style.setProperty("width", `${shown * 100}%`);
    }} /></span>;
}

function State({ call }: { call: Call }) {
    const [now, setNow] = useState(0);
    useEffect(() => {
        if (call.state !== "running") return;
        const timer = setInterval(() => setNow(Date.now()), 250);
        return () => clearInterval(timer);
    }, [call.state]);
    const status = call.metadata?.exit_status, odd = call.state === "done" && typeof status === "number" && status !== 0; // no failure of the tool, but nothing to tick off either
    const elapsed = call.state === "running" ? (call.startedAt && now > call.startedAt ? millis(now - call.startedAt) : "") : millis(call.ms);
    return <span class={`card-state ${tone[call.state]}`}>
        {call.state === "running" || call.state === "writing" ? <span class="pulse" /> : call.state === "waiting" ? <Icon name="hand" size={14} /> : null}
        {odd ? <span>{`exit ${status}`}</span> : call.state === "done" ? <Icon name="check" size={14} label="done" /> : <span>{call.limit && call.state === "limited" ? `${call.limit} limit` : words[call.state]}</span>}
        {elapsed ? <span class="card-time">{elapsed}</span> : null}
    </span>;
}
