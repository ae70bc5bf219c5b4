import assert from "node:assert/strict";
import { test } from "node:test";
import { caughtUp, changes, contentText, diffOf, findCall, noteOf, fold, forgetLive, newView, openQuestion, replacement, type AssistantItem, type View } from "../src/fold.ts";
import type { Event } from "../src/types.ts";

const run = "r1";
let seq = 0;
type Loose = { type: string; [key: string]: unknown };
/** Logged events get the next number, deltas none. */
function feed(view: View, ...events: Loose[]): void {
    const live = ["delta", "delta_call", "delta_reset", "delta_output", "retry", "state"];
    for (const e of events) fold(view, { run, t: "2026-11-23T21:00:00.000Z", ...(live.includes(e.type) ? {} : { seq: ++seq }), ...e } as unknown as Event);
}
function begun(): View {
    seq = 0;
    const view = newView("s");
    feed(view, { type: "run_start", model: "p/m", mode: "default", max_turns: 50 }, { type: "user", text: "hello" });
    return view;
}
const read = { id: "c1", tool: "read", input: { file_path: "/a" } };
const asked = (view: View) => feed(view, { type: "assistant", turn: 1, text: "", calls: [read], finish: "tool_calls" });
const last = (view: View) => view.items.filter((i): i is AssistantItem => i.kind === "assistant").at(-1)!;
const result = (more: object = {}) => ({ type: "tool_result", turn: 1, call: "c1", tool: "read", content: "text", is_error: false, limit: null, receipt: null, ms: 3, ...more });
const question = { type: "question", question: "q1", kind: "permission", call: "c1", tool: "read", level: "write", input: {}, text: "Let it.", choices: ["once", "session", "always", "no"] };

test("deltas make a reply, the assistant event replaces it by the whole", () => {
    const view = begun();
    feed(view, { type: "delta", turn: 1, text: "Hel" }, { type: "delta", turn: 1, reasoning: "why" }, { type: "delta", turn: 1, text: "lo" });
    assert.equal(last(view).text, "Hello");
    assert.equal(last(view).reasoning, "why");
    assert.equal(last(view).finish, null);
    feed(view, { type: "assistant", turn: 1, text: "Hello you", calls: [], finish: "stop" });
    assert.equal(view.items.length, 2);
    assert.equal(last(view).text, "Hello you");
    assert.equal(last(view).reasoning, "");
});

test("a delta that comes after the whole changes nothing", () => {
    const view = begun();
    feed(view, { type: "assistant", turn: 1, text: "whole", calls: [read], finish: "tool_calls" });
    feed(view, { type: "delta", turn: 1, text: "late" }, { type: "delta_call", turn: 1, index: 0, tool: "x", arguments: "y" }, { type: "delta_reset", turn: 1 });
    assert.equal(last(view).text, "whole");
    assert.deepEqual(last(view).calls[0]!.input, read.input);
});

test("deltas of turn 2 make an item of their own", () => {
    const view = begun();
    feed(view, { type: "delta", turn: 1, text: "one" }, { type: "assistant", turn: 1, text: "one", calls: [], finish: "stop" }, { type: "delta", turn: 2, text: "two" });
    assert.deepEqual(view.items.filter((i) => i.kind === "assistant").map((i) => (i as AssistantItem).text), ["one", "two"]);
});

test("deltas of a run that is over, or of another run, are ignored", () => {
    const view = begun();
    feed(view, { type: "run_end", reason: "done", turns: 0, ms: 1 });
    const before = view.items.length;
    feed(view, { type: "delta", turn: 1, text: "ghost" }, { type: "state", phase: "thinking", text: "x" });
    assert.equal(view.items.length, before);
    assert.equal(view.phase, "idle");
    feed(view, { type: "run_start", run: "r2", model: "m", mode: "default", max_turns: 1 }, { type: "delta", turn: 1, text: "ghost" });
    assert.equal(view.items.length, before);
});

test("a call being written shows its tool and its arguments as they come", () => {
    const view = begun();
    feed(view, { type: "delta_call", turn: 1, index: 1, tool: "grep", arguments: "{\"pat" }, { type: "delta_call", turn: 1, index: 1, arguments: "tern\"" }, { type: "delta_call", turn: 1, index: 0, tool: "read", arguments: "" });
    const [a, b] = last(view).calls;
    assert.equal(a!.tool, "read");
    assert.equal(b!.tool, "grep");
    assert.equal(b!.input, "{\"pattern\"");
    assert.equal(b!.state, "writing");
});

test("delta_reset voids the reply so far", () => {
    const view = begun();
    feed(view, { type: "delta", turn: 1, text: "bad" }, { type: "delta_call", turn: 1, index: 0, tool: "read", arguments: "{" });
    feed(view, { type: "retry", turn: 1, attempt: 1, wait_ms: 500, reason: "503" });
    assert.equal(view.retry?.waitMs, 500);
    feed(view, { type: "delta_reset", turn: 1 }, { type: "delta", turn: 1, text: "good" });
    assert.equal(last(view).text, "good");
    assert.equal(last(view).calls.length, 0);
    assert.equal(view.retry, null);
});

test("events seen before a reconnect are skipped, new ones are not", () => {
    const view = begun();
    const again = { type: "user", run, seq: 2, text: "hello" } as Event;
    fold(view, again);
    assert.equal(view.items.length, 1);
    fold(view, { ...again, seq: 3 } as Event);
    assert.equal(view.items.length, 2);
    assert.equal(view.lastSeq, 3);
});

test("a new subscription voids what was only live, so that replayed deltas are not shown twice", () => {
    const view = begun();
    feed(view, { type: "delta", turn: 1, text: "abc" });
    forgetLive(view);
    feed(view, { type: "delta", turn: 1, text: "abc" }, { type: "delta", turn: 1, text: "def" });
    assert.equal(last(view).text, "abcdef");
    const other = begun();
    asked(other);
    feed(other, { type: "tool_start", turn: 1, call: "c1", tool: "read", level: "read_only" }, { type: "delta_output", call: "c1", stream: "stdout", text: "out" });
    forgetLive(other);
    assert.equal(findCall(other, "c1")!.output, "");
    assert.equal(findCall(other, "c1")!.state, "running");
});

test("a call: queued, running with output, done", () => {
    const view = begun();
    asked(view);
    assert.equal(findCall(view, "c1")!.state, "queued");
    feed(view, { type: "permission", call: "c1", tool: "read", decision: "allow", reason: "reading", by: "mode" });
    feed(view, { type: "tool_start", turn: 1, call: "c1", tool: "read", level: "read_only", limits: { time: 30000 } });
    assert.equal(findCall(view, "c1")!.state, "running");
    feed(view, { type: "delta_output", call: "c1", stream: "stdout", text: "a" }, { type: "delta_output", call: "c1", stream: "stdout", text: "b" });
    assert.equal(findCall(view, "c1")!.output, "ab");
    feed(view, result({ receipt: { id: "x" } }));
    const call = findCall(view, "c1")!;
    assert.equal(call.state, "done");
    assert.equal(contentText(call.content), "text");
    assert.equal(call.limits!.time, 30000);
    feed(view, { type: "delta_output", call: "c1", stream: "stdout", text: "late" });
    assert.equal(findCall(view, "c1")!.output, "ab");
});

test("live output keeps its tail only", () => {
    const view = begun();
    asked(view);
    feed(view, { type: "tool_start", turn: 1, call: "c1", tool: "read", level: "read_only" });
    for (let i = 0; i < 5; i++) feed(view, { type: "delta_output", call: "c1", stream: "stdout", text: String(i).repeat(20_000) });
    assert.equal(findCall(view, "c1")!.output.length, 64 * 1024);
    assert.ok(findCall(view, "c1")!.output.endsWith("4"));
});

test("limited, failed and denied calls say so", () => {
    for (const [more, state] of [[{ limit: "time", is_error: true }, "limited"], [{ is_error: true }, "failed"], [{}, "done"]] as const) {
        const view = begun();
        asked(view);
        feed(view, result(more));
        assert.equal(findCall(view, "c1")!.state, state);
    }
    const view = begun();
    asked(view);
    feed(view, { type: "permission", call: "c1", tool: "read", decision: "deny", reason: "out of the root", by: "rule" }, result({ is_error: true }));
    assert.equal(findCall(view, "c1")!.state, "denied");
    assert.equal(findCall(view, "c1")!.decision!.reason, "out of the root");
});

test("the line under a closed card", () => {
    for (const [more, says] of [
        [{ content: "begin\n[stopped after 2 s (time limit); raise it]\n", limit: "time", is_error: true }, "[stopped after 2 s (time limit); raise it]"],
        [{ content: "\nno such file\nmore", is_error: true }, "no such file"],
        [{ content: "step 1\n[stopped by the user]", limit: "cancelled", is_error: true }, ""],
        [{ content: "fine" }, ""],
    ] as const) {
        const view = begun();
        asked(view);
        feed(view, result(more));
        assert.equal(noteOf(findCall(view, "c1")!), says);
    }
    const view = begun();
    asked(view);
    feed(view, { type: "tool_start", call: "c1", tool: "bash", level: "execute", limits: {} }, { type: "delta_output", call: "c1", stream: "stdout", text: "step 1\nstep 2\n" });
    assert.equal(noteOf(findCall(view, "c1")!), "step 2");
    feed(view, result({ limit: "cancelled", is_error: true }));
    assert.equal(findCall(view, "c1")!.state, "stopped");
});

test("what was put back is named", () => {
    const view = begun();
    feed(view, { type: "guarded", call: "c1", tool: "bash", paths: ["/.envrc", "/.git"], text: "They were put back." });
    assert.match(JSON.stringify(view.items.at(-1)), /They were put back\..*\/\.envrc, \/\.git/);
});

test("what a rule kept from starting is named", () => {
    const view = begun();
    feed(view, { type: "not_started", call: "c1", tool: "bash", commands: [{ command: "rm x", pattern: "rm *", rule: "no-rm", times: 2 }], text: "Rules denied them." });
    assert.match(JSON.stringify(view.items.at(-1)), /Rules denied them\..*rm x \(rule no-rm\)/);
});

test("a question waits until its answer", () => {
    const view = begun();
    asked(view);
    feed(view, question);
    assert.equal(openQuestion(view)!.question.id, "q1");
    assert.equal(findCall(view, "c1")!.state, "waiting");
    feed(view, { type: "answer", question: "other", choice: "once", from: "page" });
    assert.ok(openQuestion(view));
    feed(view, { type: "answer", question: "q1", choice: "once", from: "page" });
    assert.equal(openQuestion(view), null);
    assert.equal(findCall(view, "c1")!.state, "queued");
    const no = begun();
    asked(no);
    feed(no, question, { type: "answer", question: "q1", choice: "no", text: "rather not", from: "page" });
    assert.equal(findCall(no, "c1")!.state, "denied");
    assert.equal(findCall(no, "c1")!.question!.note, "rather not");
});

test("run_end closes what is open and says what the run cost", () => {
    const view = begun();
    asked(view);
    feed(view, question);
    feed(view, { type: "usage", turn: 1, input_tokens: 100, output_tokens: 20, cached_tokens: 0, window: 1000, estimated: 90, ms: 5, first_token_ms: 2 });
    feed(view, { type: "run_end", reason: "stopped", turns: 1, ms: 77 });
    assert.equal(findCall(view, "c1")!.state, "stopped");
    assert.equal(openQuestion(view), null);
    assert.equal(view.running, false);
    const end = view.items.at(-1)!;
    assert.equal(end.kind, "end");
    assert.deepEqual(end.kind === "end" && [end.reason, end.turns, end.ms, end.input, end.output], ["stopped", 1, 77, 100, 20]);
});

test("run_end closes a half reply; interrupted says what to do", () => {
    const view = begun();
    feed(view, { type: "delta", turn: 1, text: "half" }, { type: "run_end", reason: "interrupted", turns: 1, ms: 1 });
    assert.equal(last(view).finish, "stopped");
    const notice = view.items.at(-2)!;
    assert.ok(notice.kind === "notice" && notice.hint);
});

test("after Stop no more is drawn until the whole comes", () => {
    const view = begun();
    feed(view, { type: "delta", turn: 1, text: "half" });
    view.stopping = true;
    feed(view, { type: "delta", turn: 1, text: " and more" });
    assert.equal(last(view).text, "half");
    feed(view, { type: "assistant", turn: 1, text: "half and more", calls: [], finish: "stopped" }, { type: "run_end", reason: "stopped", turns: 1, ms: 1 });
    assert.equal(last(view).text, "half and more");
    assert.equal(view.stopping, false);
});

test("a run that the server no longer knows is closed when caught up", () => {
    const view = begun();
    asked(view);
    feed(view, { type: "tool_start", turn: 1, call: "c1", tool: "read", level: "read_only" });
    caughtUp(view, true);
    assert.equal(view.running, true);
    caughtUp(view, false);
    assert.equal(view.running, false);
    assert.equal(view.caughtUp, true);
    assert.equal(findCall(view, "c1")!.state, "stopped");
});

test("usage: the last request for the meter, sums for session and run", () => {
    const view = begun();
    const usage = (input: number, output: number) => ({ type: "usage", turn: 1, input_tokens: input, output_tokens: output, cached_tokens: 5, window: 1000, estimated: input, ms: 5, first_token_ms: 2 });
    feed(view, usage(100, 10), usage(150, 20));
    assert.deepEqual([view.usage!.input, view.usage!.output, view.usage!.totalIn, view.usage!.totalOut], [150, 20, 250, 30]);
    feed(view, usage(-1, -1)); // a provider that does not tell
    assert.deepEqual([view.usage!.totalIn, view.usage!.totalOut], [250, 30]);
    feed(view, { type: "run_end", reason: "done", turns: 1, ms: 1 }, { type: "run_start", run: "r2", model: "m", mode: "default", max_turns: 1 });
    assert.deepEqual(view.runTokens, { input: 0, output: 0 });
    assert.equal(view.usage!.totalIn, 250);
});

test("errors and limits are shown with their words; unknown events are passed over", () => {
    const view = begun();
    feed(view, { type: "error", where: "model", code: "auth", text: "No key.", hint: "Give one." }, { type: "limit", limit: "max_turns", text: "Stopped after 3 turns." }, { type: "something_new", what: 1 });
    assert.deepEqual(view.items.slice(1).map((i) => i.kind === "notice" && [i.tone, i.text, i.hint]), [["stop", "No key.", "Give one."], ["warn", "Stopped after 3 turns.", undefined]]);
});

test("title, model and mode follow their events", () => {
    const view = begun();
    feed(view, { type: "title", title: "T" }, { type: "model", model: "a/b" }, { type: "mode", mode: "plan" });
    assert.deepEqual([view.title, view.model, view.mode], ["T", "a/b", "plan"]);
});

test("files changed: calls with a path and a diff, oldest first", () => {
    const view = begun();
    feed(view, { type: "assistant", turn: 1, text: "", calls: [{ ...read, tool: "edit" }, { ...read, id: "c2" }, { ...read, id: "c3", tool: "write" }], finish: "tool_calls" });
    feed(view, result({ metadata: { path: "/a", diff: "@@ -1 +1,2 @@\n-x\n+y\n+z\n" } }), result({ call: "c2", metadata: { path: "/b" } }), result({ call: "c3", metadata: { path: "/c", diff: "+new\n" } }));
    assert.deepEqual(changes(view).map((c) => [c.path, c.added, c.removed]), [["/a", 2, 1], ["/c", 1, 0]]);
    const made = begun();
    feed(made, { type: "assistant", turn: 1, text: "", calls: [{ id: "c1", tool: "write", input: { file_path: "/n", content: "a\nb\n" } }], finish: "tool_calls" }, result({ metadata: { path: "/n", created: true } }));
    assert.equal(diffOf(findCall(made, "c1")!), "+a\n+b");
});

test("a replacement shows what both texts share once", () => {
    const table: [string, string, string][] = [["a\nb\nc", "a\nx\nc", " a\n-b\n+x\n c"], ["b", "a\nb", "+a\n b"], ["a\nb", "a", " a\n-b"], ["", "a", "+a"], ["a", "", "-a"], ["a\na", "a", " a\n-a"]];
    for (const [before, after, says] of table) assert.equal(replacement(before, after), says);
});

test("an item's rev rises exactly when it changes", () => {
    const view = begun();
    asked(view);
    const [user, item] = view.items;
    const before = [user!.rev, item!.rev];
    feed(view, result());
    assert.equal(user!.rev, before[0]);
    assert.ok(item!.rev > before[1]!);
});

test("a question of the model's: its options are kept, the answer too, and 'no' is no denial", () => {
    const view = begun();
    asked(view);
    feed(view, { type: "tool_start", turn: 1, call: "c1", tool: "AskUserQuestion", level: "none" },
        { type: "question", question: "q9", kind: "ask", call: "c1", tool: "AskUserQuestion", text: "Which?", choices: ["answer", "no"], questions: [{ question: "Which?", options: [{ label: "A" }] }] });
    const open = openQuestion(view)!;
    assert.equal(open.question.kind, "ask");
    assert.equal(open.question.questions[0]!.options![0]!.label, "A");
    feed(view, { type: "answer", question: "q9", choice: "no", text: "", from: "page", answers: [{ selected: ["A"] }] });
    assert.equal(last(view).calls[0]!.state, "queued");
    assert.deepEqual(last(view).calls[0]!.question!.answers, [{ selected: ["A"] }]);
    assert.equal(openQuestion(view), null);
});

test("tasks and notes", () => {
    const view = begun();
    asked(view);
    feed(view, { type: "todo", call: "c1", todos: [{ content: "a", status: "pending" }] }, { type: "note", call: "c1", text: "half", status: "normal" });
    assert.equal(view.todos[0]!.content, "a");
    assert.deepEqual(view.items.at(-1)!.kind, "note");
    feed(view, { type: "todo", call: "c1", todos: [] });
    assert.deepEqual(view.todos, []);
});

test("a delta after a note still belongs to its turn", () => {
    const view = begun();
    asked(view);
    feed(view, { type: "note", call: "c1", text: "half", status: "normal" }, { type: "delta", turn: 2, text: "go" }, { type: "delta", turn: 2, text: "on" });
    assert.equal(last(view).text, "goon");
    feed(view, result());
    const first = view.items.find((i): i is AssistantItem => i.kind === "assistant")!;
    assert.equal(first.calls[0]!.state, "done");
});
