import assert from "node:assert/strict";
import { test } from "node:test";
import { fold, newView } from "../src/fold.ts";
import { knownNow, takeList } from "../src/fold_runtime.ts";
import type { Event } from "../src/types.ts";
import type { Executor } from "../src/types_runtime.ts";

const feed = (view: ReturnType<typeof newView>, ...events: object[]) => { for (const e of events) fold(view, { seq: view.lastSeq + 1, t: "2026-11-23T10:00:00Z", run: "r", ...e } as Event); };
const usage = (input: number, more = {}) => ({ type: "usage", turn: 1, input_tokens: input, output_tokens: 10, cached_tokens: 0, window: 1000, estimated: input, ms: 5, first_token_ms: 2, ...more });

test("what a compaction took is no measure of the conversation; what it left is, until the next request", () => {
    const view = newView("s");
    feed(view, { type: "run_start", model: "m", mode: "default", max_turns: 5 }, usage(800));
    feed(view, usage(300, { for: "summary", window: undefined }), { type: "compact", by: "user", upto: 3, summary: "## Goal", before_tokens: 800, after_tokens: 200, kept: [], lost: {} });
    assert.deepEqual([view.usage!.input, view.usage!.window, view.usage!.totalIn, view.side.filled], [800, 1000, 1100, 200]);
    feed(view, usage(220));
    assert.deepEqual([view.usage!.input, view.side.filled], [220, null]);
});

test("an executor's state is followed when its manager's run is over, and is no item of the log", () => {
    const view = newView("s");
    feed(view, { type: "executor", executor: "x", agent: "explore", description: "Look", state: "running", turns: 0 });
    const items = view.items.length;
    fold(view, { type: "executor_state", executor: "x", state: "running", turns: 3 } as unknown as Event);
    assert.deepEqual([view.side.executors.get("x")!.turns, view.side.executors.get("x")!.agent, view.items.length], [3, "explore", items]);
    const rev = view.side.executorRev;
    feed(view, { type: "executor", executor: "x", state: "done", turns: 4 });
    assert.deepEqual([view.side.executors.get("x")!.state, view.side.executorRev], ["done", rev + 1]);
});

test("what changes the context is told to those who show it", () => {
    const view = newView("s");
    const rev = view.side.contextRev;
    feed(view, { type: "fact", id: "f", text: "x", from: "user" }, { type: "attach", pack: "p" }, { type: "cache_break", turn: 1, part: "tools", what: "read" });
    assert.equal(view.side.contextRev, rev + 3);
});

test("what an executor asks is kept until it waits no longer, and is no item of the log", () => {
    const view = newView("s"), state = (more: object) => fold(view, { type: "executor_state", executor: "x", agent: "build", description: "Write", ...more } as unknown as Event);
    feed(view, { type: "executor", executor: "x", agent: "build", description: "Write", state: "running", turns: 0 });
    state({ state: "running", waiting: true });
    fold(view, { type: "executor_question", executor: "x", agent: "build", description: "Write", question: { type: "question", seq: 7, question: "q1", call: "c1", tool: "write", text: "Let it?", choices: ["once", "no"], input: { file_path: "/a" } } } as unknown as Event);
    const asking = view.side.asking.get("x")!;
    assert.deepEqual([asking.question.id, asking.question.choices, asking.call.tool, asking.call.input, view.items.length], ["q1", ["once", "no"], "write", { file_path: "/a" }, 0]);
    state({ state: "running", waiting: false });
    assert.equal(view.side.asking.size, 0);
});

test("a list of executors is older than what events said while it was on its way", () => {
    const view = newView("s"), row = (waiting: boolean) => [{ session: "x", agent: "build", description: "Write", state: "running", waiting }] as Executor[];
    const asked = { type: "question", seq: 7, question: "q1", call: "c1", tool: "write", text: "Let it?", choices: ["once", "no"], input: { file_path: "/a" } } as unknown as Parameters<typeof takeList>[3][number];
    feed(view, { type: "executor", executor: "x", agent: "build", description: "Write", state: "running", turns: 0 });
    const early = knownNow(view.side);
    fold(view, { type: "executor_state", executor: "x", state: "running", waiting: true } as unknown as Event);
    fold(view, { type: "executor_question", executor: "x", agent: "build", description: "Write", question: asked } as unknown as Event);
    takeList(view.side, early, row(false), [null]);
    assert.deepEqual([view.side.asking.get("x")?.question.id, view.side.executors.get("x")?.waiting], ["q1", true]);
    takeList(view.side, knownNow(view.side), row(false), [null]);
    assert.deepEqual([view.side.asking.size, view.side.executors.get("x")?.waiting], [0, false]);
    const late = knownNow(view.side);
    fold(view, { type: "executor_state", executor: "x", state: "running", waiting: false, turns: 3 } as unknown as Event);
    takeList(view.side, late, row(true), [asked]);
    assert.deepEqual([view.side.asking.size, view.side.executors.get("x")?.waiting], [0, false]);
    takeList(view.side, knownNow(view.side), row(true), [asked]);
    assert.deepEqual([view.side.asking.get("x")?.question.id, view.side.executors.get("x")?.waiting], ["q1", true]);
});
