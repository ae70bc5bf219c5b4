import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "../icon.tsx";
import type { View } from "../fold.ts";
import { rowOf } from "../list.ts";
import { setPlanner } from "../sessions.ts";
import { app, pendingQuestion, setMode, setModel, toQuestion, useApp } from "../state.ts";
import { ContextMeter } from "./context_meter.tsx";
import { ExecutorsWaiting } from "./executors_waiting.tsx";
import { usePopover } from "./popover.ts";

export const modes: [mode: string, name: string, says: string][] = [
    ["plan", "Plan", "reads only; nothing is changed"],
    ["default", "Ask first", "reads freely; asks before it changes or runs anything"],
    ["accept-edits", "Accept edits", "changes files without asking; asks before it runs anything"],
    ["auto", "Auto", "runs what stays in the sandbox; asks for anything that leaves it"],
];

/** One quiet line: model, mode, what waits for the reader, context, walls. */
export function StatusLine({ view }: { view: View | null }) {
    useApp(() => [view?.rev === undefined ? 0 : view.model + view.mode + view.running + view.planner, view?.skills, app.newPlanner, view?.usage, app.models, app.system, app.newMode, app.sessions, pendingQuestion()?.question]);
    const row = rowOf(view?.id);
    const planner = view ? view.planner : app.newPlanner;
    const model = view?.model || row?.model || app.models?.default || "";
    const mode = view ? view.mode || row?.mode || "default" : app.newMode;
    const info = app.models?.models.find((m) => m.id === model);
    const disabled = view?.running ?? false;
    return <div class="status">
        <Pick label="Model" value={model} title={info && !info.available ? info.why : info?.id ?? model} disabled={disabled} onPick={(v) => { void setModel(v); }}>
            {model && !info ? <option value={model}>{model}</option> : null}
            {app.models?.models.map((m) => <option key={m.id} value={m.id} disabled={!m.available}>{m.name || m.id}{m.local ? " · local" : ""}{m.available ? "" : " · not ready"}</option>)}
        </Pick>
        <Pick label="Mode" value={mode} title={modes.find((m) => m[0] === mode)?.[2] ?? ""} disabled={disabled} onPick={(v) => { void setMode(v); }}>
            {mode === "bypass" ? <option value="bypass">Bypass</option> : null}
            {modes.map(([id, name, says]) => <option key={id} value={id} title={says}>{name}</option>)}
        </Pick>
        <button type="button" class={`quiet planner ${planner ? "on" : ""}`} aria-pressed={planner} disabled={disabled} aria-label="Planner"
            title={planner ? "Planner: it plans and hands the work to executors" : "Planner is off: the assistant works itself"} onClick={() => { void setPlanner(!planner); }}><Icon name="users" size={14} /><span class="planner-text">Planner</span></button>
        {view?.skills.map((s) => <span key={s.skill} class="skill-chip" title={s.tools ? `While it is active: only ${s.tools.join(", ")}` : "Active in this run"}><Icon name="sparkles" size={12} label="Active skill" /> {s.skill}</span>)}
        <Waiting view={view} />
        <span class="spring" />
        <ContextMeter view={view} />
        <Walls />
    </div>;
}

function Pick({ label, value, title, disabled, onPick, children }: { label: string; value: string; title: string; disabled: boolean; onPick(v: string): void; children: ComponentChildren }) {
    return <label class="pick" title={title}><span class="sr-only">{label}</span>
        <select value={value} disabled={disabled} onChange={(e) => onPick(e.currentTarget.value)}>{children}</select>
        <Icon name="chevron" size={12} /></label>;
}

/** The question again, for a reader who is elsewhere in the conversation. */
function Waiting({ view }: { view: View | null }) {
    const pending = pendingQuestion();
    if (!pending) return view ? <ExecutorsWaiting view={view} /> : null;
    return <button type="button" class="waiting" onClick={() => toQuestion(pending.question.id, pending.item.seq)} title={pending.question.text}><Icon name="hand" size={14} /><span>Waiting for you: {pending.call.tool}</span></button>;
}

function Walls() {
    const { open, setOpen, box } = usePopover();
    const walls = app.system?.walls;
    if (!walls) return null;
    const icon: IconName = walls.summary === "up" ? "shield" : walls.summary === "partly" ? "shieldPart" : "shieldDown";
    const text = walls.summary === "up" ? "Walls up" : walls.summary === "partly" ? "Walls partly up" : "Second wall down";
    const says = walls.summary === "up" ? "Both walls are up" : walls.summary === "partly" ? "The second wall is partly up" : "The second wall is down";
    return <div class="popover-box" ref={box}>
        <button type="button" class={`quiet walls ${walls.summary}`} aria-expanded={open} aria-label={text} title={says} onClick={() => setOpen(!open)}>
            <Icon name={icon} /><span class="walls-text">{text}</span></button>
        {open ? <div class="popover" role="dialog" aria-label="Walls">
            <h3>{says}</h3>
            <dl>
                <dt>WebAssembly</dt><dd>up</dd>
                <dt>Landlock</dt><dd>{walls.landlock ? `up, ABI ${walls.landlock_abi}` : "down"}</dd>
                <dt>seccomp</dt><dd>{walls.seccomp ? "up" : "down"}</dd>
                <dt>Tools see</dt><dd class="path">{app.system!.root}</dd>
            </dl>
            {walls.why ? <p class="muted">{walls.why}</p> : null}
        </div> : null}
    </div>;
}
