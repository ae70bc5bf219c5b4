// What the inspector follows of a session besides its log: its executors, and when its context changed.
import { newCall, questionOf, type Call, type Question } from "./fold.ts";
import type { CompactEvent, Executor, ExecutorEvent } from "./types_runtime.ts";
import type { Event } from "./types.ts";

/** What an executor asks, for a reader of its manager's session: its own has the answer. */
export interface Asking { executor: string; agent: string; description: string; question: Question; call: Call }

export interface Side {
    executors: Map<string, ExecutorEvent>; // the last that was said of each
    executorRev: number; // the tree has changed
    asking: Map<string, Asking>; // by executor: one question of a session is open at a time
    contextRev: number; // the context has changed
    budgetRev: number; // the budget was set
    compaction: CompactEvent | null; // the last one
    filled: number | null; // what the last compaction left, until a request is counted again
}

export const newSide = (): Side => ({ executors: new Map(), executorRev: 0, asking: new Map(), contextRev: 0, budgetRev: 0, compaction: null, filled: null });

const ofContext = new Set(["usage", "compact", "fact", "fact_drop", "attach", "detach", "cache_break", "rewind", "run_end", "model"]);

/** True: the event is of no concern to the log. */
export function foldSide(side: Side, ev: { type: string; seq?: number; for?: string }): boolean {
    if (ofContext.has(ev.type)) side.contextRev++;
    if (ev.type === "budget") side.budgetRev++;
    if (ev.type === "usage" && !ev.for) side.filled = null;
    if (ev.type === "compact") {
        side.compaction = ev as CompactEvent;
        side.filled = side.compaction.after_tokens;
    }
    if (ev.type === "executor_question") {
        asks(side, ev as unknown as Told);
        return true;
    }
    if (ev.type !== "executor" && ev.type !== "executor_state") return false;
    const said = ev as ExecutorEvent, known = side.executors.get(said.executor);
    if (ev.type === "executor_state" && known?.type === "executor" && known.state !== "running" && known.state !== "queued") return true; // on its way when it ended
    side.executors.set(said.executor, { ...known, ...said });
    if (!said.waiting) side.asking.delete(said.executor);
    side.executorRev++;
    return ev.type === "executor_state"; // never written, and it may come when its manager's run is over
}

export interface Told { executor: string; agent?: string; description?: string; question: Extract<Event, { type: "question" }> }

/** An executor's question, by the event that its manager hears or what its own session says. */
export function asks(side: Side, { executor, agent = "", description = "", question }: Told): void {
    side.asking.set(executor, { executor, agent, description, question: questionOf(question), call: newCall(question.call, question.tool, question.input ?? null, "waiting") });
    side.executorRev++;
}

/** What was known of the executors at a moment. */
export const knownNow = (side: Side) => ({ executors: new Map(side.executors), asking: new Map(side.asking) });

/** The list of a session's executors, asked for when `before` was known, with the open question of each that waits. What events
 * have said meanwhile is newer than the list. */
export function takeList(side: Side, before: ReturnType<typeof knownNow>, list: Executor[], questions: (Told["question"] | null)[]): void {
    list.forEach((e, i) => {
        const known = side.executors.get(e.session), question = questions[i];
        if (known !== before.executors.get(e.session) || side.asking.get(e.session) !== before.asking.get(e.session)) return;
        if (!e.waiting) side.asking.delete(e.session);
        if (e.waiting !== (known?.waiting ?? false)) side.executors.set(e.session, { ...known, type: "executor", executor: e.session, agent: e.agent, description: e.description, state: e.state, waiting: e.waiting });
        if (question) asks(side, { executor: e.session, agent: e.agent, description: e.description, question });
    });
    side.executorRev++;
}
