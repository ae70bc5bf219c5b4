// What the inspector follows of a session besides its log: its executors, and when its context changed.
import type { CompactEvent, ExecutorEvent } from "./types_runtime.ts";

export interface Side {
    executors: Map<string, ExecutorEvent>; // the last that was said of each
    executorRev: number; // the tree has changed
    contextRev: number; // the context has changed
    budgetRev: number; // the budget was set
    compaction: CompactEvent | null; // the last one
    filled: number | null; // what the last compaction left, until a request is counted again
}

export const newSide = (): Side => ({ executors: new Map(), executorRev: 0, contextRev: 0, budgetRev: 0, compaction: null, filled: null });

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
    if (ev.type === "executor_question") return true; // executor_state says that it waits, its own session what it asks
    if (ev.type !== "executor" && ev.type !== "executor_state") return false;
    const said = ev as ExecutorEvent, known = side.executors.get(said.executor);
    if (ev.type === "executor_state" && known?.type === "executor" && known.state !== "running" && known.state !== "queued") return true; // on its way when it ended
    side.executors.set(said.executor, { ...known, ...said });
    side.executorRev++;
    return ev.type === "executor_state"; // never written, and it may come when its manager's run is over
}
