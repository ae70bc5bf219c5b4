// Events in, what the page shows out. Pure but for the object it is given: fold(view, event) changes `view` in place and
// raises the `rev` of every item it touched, so that components redraw what changed and nothing else.
import { foldSide, newSide, type Side } from "./fold_runtime.ts";
import { foldSession } from "./fold_sessions.ts";
import type { IconName } from "./icon.tsx";
import type { Lost, Queued } from "./types_sessions.ts";
import type { Answer, Asked, Block, Choice, Content, Denied, Event, Json, Level, McpText, QuestionKind, Receipt, Todo } from "./types.ts";

export type CallState = "writing" | "waiting" | "queued" | "running" | "done" | "limited" | "denied" | "failed" | "stopped";

export interface Question {
    id: string; kind: QuestionKind; text: string; choices: Choice[]; level?: Level; questions: Asked[]; plan: string; grant?: { tool: string; host: string }; approved?: McpText; now?: McpText;
    answered?: Choice; note?: string; from?: string; answers?: Answer[];
}

/** Answers an open question. */
export type Choose = (choice: Choice, text?: string, answers?: Answer[]) => void;

export interface Call {
    id: string; tool: string; input: Json; state: CallState; level?: Level;
    limits?: Record<string, number>; startedAt?: number; endedAt?: number; ms?: number;
    content?: Content; metadata?: Record<string, Json>; limit?: string | null; receipt?: Receipt | null; denied?: Denied;
    output: string; question?: Question; decision?: { by: string; reason: string; allow: boolean };
    executor?: string; // the session that it began
}

interface ItemBase { key: string; rev: number; seq?: number; until?: number; t?: string; run?: string } // seq, until: its first and last event
export type Item = ItemBase & (
    | { kind: "user"; text: string; queued: boolean }
    | { kind: "assistant"; turn: number; text: string; reasoning: string; calls: Call[]; finish: string | null }
    | { kind: "note"; text: string; attachments: { path: string; size?: number }[] }
    | { kind: "notice"; tone: "stop" | "warn"; text: string; hint?: string }
    | { kind: "end"; reason: string; turns: number; ms: number; input: number; output: number; partial: boolean } // partial: not all of the run is loaded
    | { kind: "compact"; by: string; summary: string; kept: string[]; lost: Lost; before?: number; after?: number }
    | { kind: "line"; icon: IconName; text: string; more?: string }
    | { kind: "local"; command: string; text: string } // the answer to a command: on this page only
    | { kind: "versions"; versions: Item[][] } // what was edited and sent again
);
export type AssistantItem = Extract<Item, { kind: "assistant" }>;

export interface Usage { input: number; output: number; cached: number; window: number; estimated: number; ms: number; firstTokenMs: number; totalIn: number; totalOut: number }

export interface View {
    id: string; lastSeq: number; items: Item[]; rev: number; news: number; caughtUp: boolean;
    running: boolean; run: string | null; phase: string; phaseText: string; runStartedAt: number | null;
    title: string; model: string; mode: string; usage: Usage | null;
    retry: { attempt: number; waitMs: number; reason: string } | null;
    runTokens: { input: number; output: number }; totals: { input: number; output: number };
    todos: Todo[];
    side: Side;
    stopping: boolean; // asked to stop: what was still on its way is not worth drawing
    runWhole: boolean; // the start of its run is loaded
    planner: boolean; queued: Queued[]; skills: { skill: string; tools: string[] | null }[];
    rewinds: { to: number; at: number }[];
    failed: string | null; // why it cannot be opened
    damaged: boolean; // not all of its file can be read
    prepared: boolean; // asked the server where to begin
    firstSeq: number; // of the events that are loaded; 1 = all
    clean: boolean; // one came that needs nothing from before
    carry: Event[]; // those before it: they belong to a turn whose beginning is not loaded
    countedTo: number; // up to this event the totals are the server's
    lastRun: string | null; // of the last event, unless that ended it
}

export function newView(id: string): View {
    return { id, lastSeq: 0, items: [], rev: 0, news: 0, caughtUp: false, running: false, run: null, phase: "idle", phaseText: "",
        runStartedAt: null, title: "", model: "", mode: "", usage: null, retry: null, runTokens: { input: 0, output: 0 }, totals: { input: 0, output: 0 }, todos: [], side: newSide(), stopping: false,
        runWhole: false, planner: false, queued: [], skills: [], rewinds: [], failed: null, damaged: false, prepared: false, firstSeq: 1, clean: false, carry: [], countedTo: 0, lastRun: null };
}

/** An event that what comes later needs nothing before of: what is older can be folded by itself. */
export function startsClean(ev: Event): boolean {
    return ev.type === "run_start" || ev.type === "user" || ev.type === "assistant";
}

const live = new Set(["delta", "delta_call", "delta_reset", "delta_output", "retry", "state"]);
const outputKept = 64 * 1024; // live output on the page: the tail; the result event carries the whole

export function fold(view: View, ev: Event): void {
    if (ev.seq !== undefined) {
        if (ev.seq <= view.lastSeq) return; // seen before a reconnect
        view.lastSeq = ev.seq;
        view.lastRun = ev.type === "run_end" ? null : ev.run ?? view.lastRun;
        view.clean ||= ev.seq === 1 || startsClean(ev);
        if (!view.clean) {
            view.carry.push(ev);
            return;
        }
    }
    foldSide(view.side, ev);
    if (live.has(ev.type) && (!view.running || (ev.run ?? null) !== view.run)) return; // of a run that is over: its events said it all
    if (view.stopping && ev.type.startsWith("delta")) return;
    view.rev++;
    if (ev.type !== "executor_state") view.news++;
    if (foldSession(view, ev)) return;
    switch (ev.type) {
    case "run_start":
        Object.assign(view, { running: true, run: ev.run ?? null, runStartedAt: time(ev.t), model: ev.model, mode: ev.mode, phase: "thinking", phaseText: "", retry: null, stopping: false,
            runTokens: { input: 0, output: 0 }, runWhole: true });
        break;
    case "user":
        view.items.push({ kind: "user", key: `u${ev.seq}`, seq: ev.seq, rev: 0, t: ev.t, run: ev.run, text: ev.text, queued: ev.queued !== undefined });
        if (ev.queued !== undefined) view.queued = view.queued.filter((q) => q.id !== ev.queued);
        break;
    case "delta": {
        const item = turnItem(view, ev.run, ev.turn);
        if (item.finish !== null) break;
        item.text += ev.text ?? "";
        item.reasoning += ev.reasoning ?? "";
        view.retry = null;
        item.rev++;
        break;
    }
    case "delta_call": {
        const item = turnItem(view, ev.run, ev.turn);
        if (item.finish !== null) break;
        const call = (item.calls[ev.index] ??= newCall(`writing-${ev.turn}-${ev.index}`, ev.tool ?? "", "", "writing"));
        if (ev.tool) call.tool = ev.tool;
        call.input = String(call.input ?? "") + (ev.arguments ?? "");
        item.rev++;
        break;
    }
    case "delta_reset": {
        const item = turnItem(view, ev.run, ev.turn);
        if (item.finish === null) Object.assign(item, { text: "", reasoning: "", calls: [], rev: item.rev + 1 });
        break;
    }
    case "assistant": {
        const item = turnItem(view, ev.run, ev.turn);
        const calls = (ev.calls ?? []).map((c) => newCall(c.id, c.tool, c.input, "queued"));
        Object.assign(item, { text: ev.text ?? "", reasoning: ev.reasoning ?? "", calls, finish: ev.finish, t: ev.t, seq: ev.seq, rev: item.rev + 1 });
        view.retry = null;
        break;
    }
    case "usage":
        if ((ev.seq ?? 0) > view.countedTo) view.totals = { input: view.totals.input + Math.max(0, ev.input_tokens), output: view.totals.output + Math.max(0, ev.output_tokens) };
        if (!ev.for || !view.usage) view.usage = { // what a summary took says nothing of the conversation
            input: ev.input_tokens, output: ev.output_tokens, cached: ev.cached_tokens, window: ev.window, estimated: ev.estimated,
            ms: ev.ms, firstTokenMs: ev.first_token_ms,
            totalIn: 0, totalOut: 0,
        };
        Object.assign(view.usage, { totalIn: view.totals.input, totalOut: view.totals.output });
        view.runTokens.input += Math.max(0, ev.input_tokens);
        view.runTokens.output += Math.max(0, ev.output_tokens);
        break;
    case "permission":
        touch(view, ev, (c) => {
            c.decision = { by: ev.by, reason: ev.reason, allow: ev.decision === "allow" };
            if (ev.decision === "deny") c.state = "denied";
        });
        break;
    case "question":
        touch(view, ev, (c) => {
            c.state = "waiting";
            c.level = ev.level ?? c.level;
            c.question = questionOf(ev);
        });
        break;
    case "answer":
        for (const { call, item } of calls(view)) {
            if (call.question?.id !== ev.question) continue;
            Object.assign(call.question, { answered: ev.choice, note: ev.text, from: ev.from, answers: ev.answers });
            call.state = asksForLeave(call.question) && ev.choice === "no" ? "denied" : "queued";
            item.rev++;
            break;
        }
        break;
    case "tool_start":
        touch(view, ev, (c) => Object.assign(c, { state: "running", level: ev.level, limits: ev.limits, startedAt: time(ev.t) }));
        break;
    case "delta_output":
        touch(view, ev, (c) => {
            if (c.state === "running") c.output = (c.output + ev.text).slice(-outputKept);
        });
        break;
    case "tool_result":
        touch(view, ev, (c, item) => {
            item.until = ev.seq;
            Object.assign(c, { content: ev.content, metadata: ev.metadata, limit: ev.limit, receipt: ev.receipt, denied: ev.denied, ms: ev.ms, endedAt: time(ev.t) });
            c.state = c.state === "denied" ? "denied" : ev.limit === "cancelled" ? "stopped" : ev.limit ? "limited" : ev.is_error ? "failed" : "done";
        });
        break;
    case "not_started":
        notice(view, ev, "warn", ev.text, ev.commands.map((c) => c.rule ? `${c.command} (rule ${c.rule})` : c.command).join(", "));
        break;
    case "guarded":
        notice(view, ev, "warn", ev.text, ev.paths.join(", "));
        break;
    case "error":
        notice(view, ev, "stop", ev.text, ev.hint);
        break;
    case "limit":
        notice(view, ev, "warn", ev.text);
        break;
    case "retry":
        view.retry = { attempt: ev.attempt, waitMs: ev.wait_ms, reason: ev.reason };
        break;
    case "state":
        view.phase = ev.phase;
        view.phaseText = ev.text ?? "";
        break;
    case "todo":
        view.todos = ev.todos;
        break;
    case "note":
        view.items.push({ kind: "note", key: `b${ev.seq}`, seq: ev.seq, rev: 0, t: ev.t, run: ev.run, text: ev.text, attachments: ev.attachments ?? [] });
        break;
    case "mode":
        view.mode = ev.mode;
        break;
    case "model":
        view.model = ev.model;
        break;
    case "title":
        view.title = ev.title;
        break;
    case "run_end":
        endRun(view, ev);
        break;
    }
}

function endRun(view: View, ev: Extract<Event, { type: "run_end" }>): void {
    closeCalls(view, ev.run);
    if (ev.reason === "interrupted") notice(view, ev, "warn", "This run was interrupted: the server ended before it was done.", "Send a message to go on from here.");
    view.items.push({ kind: "end", key: `e${ev.seq}`, seq: ev.seq, rev: 0, t: ev.t, run: ev.run, reason: ev.reason, turns: ev.turns, ms: ev.ms, ...view.runTokens, partial: !view.runWhole });
    Object.assign(view, { running: false, run: null, phase: "idle", phaseText: "", runStartedAt: null, retry: null, stopping: false, skills: [], runWhole: false, runTokens: { input: 0, output: 0 } });
}

/** Nothing of a run that is over goes on. */
function closeCalls(view: View, run: string | undefined): void {
    for (const { call, item } of calls(view)) {
        if (run !== undefined && item.run !== run) break;
        if (call.state === "writing" || call.state === "queued" || call.state === "waiting" || call.state === "running") {
            call.state = "stopped";
            item.rev++;
        }
    }
    for (let i = view.items.length - 1; i >= 0; i--) {
        const item = view.items[i]!;
        if (run !== undefined && item.run !== run) break;
        if (item.kind === "assistant" && item.finish === null) Object.assign(item, { finish: "stopped", rev: item.rev + 1 });
    }
}

/** Before a subscription is made anew: what was only live is void, the server sends what it still has of it. */
export function forgetLive(view: View): void {
    view.rev++;
    view.retry = null;
    for (let i = view.items.length - 1; i >= 0; i--) {
        const item = view.items[i]!;
        if (item.kind === "user") break;
        if (item.kind !== "assistant") continue;
        if (item.finish === null) Object.assign(item, { text: "", reasoning: "", calls: [] });
        for (const call of item.calls) if (call) call.output = "";
        item.rev++;
    }
}

/** What the server says when the backlog is through; `running` false also mends a run whose end was never written. */
export function caughtUp(view: View, running: boolean): void {
    view.rev++;
    view.caughtUp = true;
    if (running && !view.running && view.firstSeq > 1) Object.assign(view, { running: true, run: view.lastRun, phase: "thinking" }); // it began before what is loaded
    if (!running && view.running) {
        closeCalls(view, undefined);
        Object.assign(view, { running: false, run: null, phase: "idle", phaseText: "", runStartedAt: null, retry: null, stopping: false });
    }
}

/** A call without a result yet. */
export function newCall(id: string, tool: string, input: Json, state: CallState): Call {
    return { id, tool, input, state, output: "" };
}

function notice(view: View, ev: Event, tone: "stop" | "warn", text: string, hint?: string): void {
    view.items.push({ kind: "notice", key: `n${ev.seq}`, seq: ev.seq, rev: 0, t: ev.t, run: ev.run, tone, text, hint });
}

function turnItem(view: View, run: string | undefined, turn: number): AssistantItem {
    const key = `a${run ?? ""}-${turn}`;
    for (let i = view.items.length - 1; i >= 0; i--) {
        const item = view.items[i]!;
        if (item.kind === "assistant" && item.key === key) return item;
        if (item.kind === "user") break;
    }
    const item: AssistantItem = { kind: "assistant", key, rev: 0, run, turn, text: "", reasoning: "", calls: [], finish: null };
    view.items.push(item);
    return item;
}

export function* calls(view: View): Generator<{ call: Call; item: AssistantItem }> {
    for (let i = view.items.length - 1; i >= 0; i--) {
        const item = view.items[i]!;
        if (item.kind === "assistant") for (const call of item.calls) if (call) yield { call, item };
    }
}

function touch(view: View, ev: { run?: string; call: string }, change: (call: Call, item: AssistantItem) => void): void {
    for (const { call, item } of calls(view)) {
        if (item.run !== ev.run) return; // a model may use an id again in its next run
        if (call.id !== ev.call) continue;
        change(call, item);
        item.rev++;
        return;
    }
}

/** Whether "no" to it means that the call is not made; the others are what the call itself asks. */
export function asksForLeave(question: Question): boolean {
    return question.kind !== "ask" && question.kind !== "plan";
}

/** A question as the page shows it, from its event. */
export function questionOf(ev: Extract<Event, { type: "question" }>): Question {
    return { id: ev.question, kind: ev.kind ?? "permission", text: ev.text, choices: ev.choices ?? [], level: ev.level, questions: ev.questions ?? [], plan: ev.plan ?? "", grant: ev.grant, approved: ev.approved, now: ev.now };
}

export function openQuestion(view: View): { call: Call; question: Question; item: AssistantItem } | null {
    for (const { call, item } of calls(view)) {
        if (item.run !== (view.run ?? undefined)) return null;
        if (call.state === "waiting" && call.question && !call.question.answered) return { call, question: call.question, item };
    }
    return null;
}

/** What a call changed, as a unified diff: the tool's own, or all lines of a file that it made. */
export function diffOf(call: Call): string | null {
    const { diff, created } = call.metadata ?? {};
    if (typeof diff === "string" && diff) return diff;
    const input = call.input;
    if (created !== true || !input || typeof input !== "object" || Array.isArray(input)) return null;
    const text = input.content ?? input.new_string;
    return typeof text === "string" && text ? text.replace(/\n$/, "").split("\n").map((line) => `+${line}`).join("\n") : null;
}

/** One text in the place of another: the lines that both begin or end with are shown once. */
export function replacement(before: string, after: string): string {
    const a = before ? before.split("\n") : [], b = after ? after.split("\n") : [];
    let head = 0, tail = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    const signed = (sign: string, lines: string[]) => lines.map((line) => sign + line);
    return [...signed(" ", a.slice(0, head)), ...signed("-", a.slice(head, a.length - tail)), ...signed("+", b.slice(head, b.length - tail)),
        ...signed(" ", a.slice(a.length - tail))].join("\n");
}

/** The calls that changed a file and say how, oldest first. */
export function changes(view: View): { call: Call; path: string; added: number; removed: number }[] {
    const list: { call: Call; path: string; added: number; removed: number }[] = [];
    for (const call of view.items.flatMap((item) => (item.kind === "assistant" ? item.calls.filter(Boolean) : []))) {
        const path = call.metadata?.path, diff = diffOf(call);
        if (typeof path !== "string" || diff === null) continue;
        const lines = diff.split("\n");
        list.push({ call, path: path.startsWith("/") ? path : `/${path}`, added: lines.filter((l) => l.startsWith("+")).length, removed: lines.filter((l) => l.startsWith("-")).length });
    }
    return list;
}

export function findCall(view: View | null, id: string | null): Call | null {
    if (view && id) for (const { call } of calls(view)) if (call.id === id) return call;
    return null;
}

/** The line under a closed card: why it ended so, or what it prints just now. What a limit stopped says which one, and what to do, at the end of its text. */
export function noteOf(call: Call): string {
    const lines = (text: string) => text.split("\n").filter((line) => line.trim());
    if (call.state === "limited") return lines(contentText(call.content)).at(-1) ?? "";
    if (call.state === "failed") return lines(contentText(call.content))[0] ?? "";
    if (call.state === "denied") return call.decision?.reason ?? call.question?.note ?? "";
    return call.state === "running" ? lines(call.output).at(-1)?.slice(-200) ?? "" : "";
}

export function contentText(content: Content | undefined): string {
    if (content === undefined) return "";
    if (typeof content === "string") return content;
    return content.filter((b): b is Extract<Block, { type: "text" }> => b.type === "text").map((b) => b.text).join("\n");
}

function time(t: string | undefined): number {
    return t ? Date.parse(t) : Date.now();
}
