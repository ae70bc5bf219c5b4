import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fold, newView, type Item, type View } from "../src/fold.ts";
import { indexOfSeq, shownItems } from "../src/versions.ts";
import type { Event } from "../src/types.ts";

type Loose = { type: string; [key: string]: unknown };
const at = (seq: number, e: Loose) => ({ seq, t: "2026-11-23T21:00:00.000Z", ...e }) as unknown as Event;
const numbered = (events: Loose[]) => events.map((e, i) => at(i + 1, e));
function folded(events: Event[]): View {
    const view = newView("s");
    for (const e of events) fold(view, e);
    return view;
}
const start = (run: string) => ({ type: "run_start", run, model: "m", mode: "default", max_turns: 9 });
const user = (run: string, text: string, more = {}) => ({ type: "user", run, text, ...more });
const reply = (run: string, turn: number, text: string, calls: object[] = []) => ({ type: "assistant", run, turn, text, calls, finish: calls.length ? "tool_calls" : "stop" });
const usage = (run: string, turn: number, input: number, output: number) => ({ type: "usage", run, turn, input_tokens: input, output_tokens: output, cached_tokens: 0, window: 1000, estimated: 0, ms: 1, first_token_ms: 1 });
const end = (run: string) => ({ type: "run_end", run, reason: "done", turns: 1, ms: 1 });
const turn = (run: string, text: string) => [start(run), user(run, text), reply(run, 1, `re: ${text}`), end(run)];
const said = (items: Item[]): unknown[] => items.flatMap((i): unknown[] => (i.kind === "user" ? [i.text] : i.kind === "versions" ? [i.versions.map((v) => v.flatMap((x) => (x.kind === "user" ? [x.text] : [])))] : []));

// what these import needs a page around it
let older: typeof import("../src/older.ts"), list: typeof import("../src/list.ts"), app: typeof import("../src/state.ts")["app"], complete: typeof import("../src/parts/complete.tsx"), budget: typeof import("../src/parts/budget.tsx");
before(async () => {
    const { JSDOM } = await import("jsdom");
    const { window } = new JSDOM("", { url: "http://127.0.0.1/" });
    Object.assign(globalThis, { window, document: window.document, localStorage: window.localStorage, sessionStorage: window.sessionStorage, location: window.location, HTMLElement: window.HTMLElement });
    const { register } = await import("node:module");
    register("data:text/javascript," + encodeURIComponent("export const load = (url, context, next) => url.endsWith('.svg') ? { format: 'module', source: 'export default \"\"', shortCircuit: true } : next(url, context);"));
    older = await import("../src/older.ts");
    list = await import("../src/list.ts");
    ({ app } = await import("../src/state.ts"));
    complete = await import("../src/parts/complete.tsx");
    budget = await import("../src/parts/budget.tsx");
});

test("what was edited and sent again is one fold with a version each", () => {
    const view = folded(numbered([...turn("a", "one"), { type: "rewind", to: 2 }, ...turn("b", "two"), { type: "rewind", to: 7 }, ...turn("c", "three")]));
    assert.deepEqual(said(shownItems(view)), [[["one"], ["two"]], "three"]);
});

test("a message edited far back takes along what was edited after it", () => {
    const view = folded(numbered([...turn("a", "one"), ...turn("b", "two"), { type: "rewind", to: 6 }, ...turn("c", "other two"), { type: "rewind", to: 2 }, ...turn("d", "other one")]));
    assert.deepEqual(said(shownItems(view)), [[["one", "two", "other two"]], "other one"]);
    assert.equal(shownItems(view), shownItems(view), "made once");
});

test("without an edit the items are shown as they are", () => {
    const view = folded(numbered(turn("a", "one")));
    assert.equal(shownItems(view), view.items);
});

test("an event is found in its item, or in the fold that it is in", () => {
    const view = folded(numbered([...turn("a", "zero"), ...turn("b", "one"), { type: "rewind", to: 6 }, ...turn("c", "two")]));
    const items = shownItems(view);
    assert.equal((items[indexOfSeq(items, 2)] as { text: string }).text, "zero");
    assert.equal(items[indexOfSeq(items, 7)]!.kind, "versions");
    assert.equal((items[indexOfSeq(items, 11)] as { text: string }).text, "two");
});

test("a result leads to the reply that asked for it, also with a notice between them", () => {
    const view = folded(numbered([start("a"), user("a", "go"), reply("a", 1, "I read.", [{ id: "c1", tool: "read", input: {} }, { id: "c2", tool: "read", input: {} }]), { type: "tool_result", run: "a", turn: 1, call: "c1", tool: "read", content: "x", is_error: false, limit: null, receipt: null, ms: 1 },
        { type: "guarded", run: "a", call: "c2", tool: "read", paths: ["/x"], text: "put back" }, { type: "tool_result", run: "a", turn: 1, call: "c2", tool: "read", content: "y", is_error: false, limit: null, receipt: null, ms: 1 }, end("a")]));
    const kind = (seq: number) => view.items[indexOfSeq(view.items, seq)]!.kind;
    assert.deepEqual([3, 4, 5, 6, 7].map(kind), ["assistant", "assistant", "notice", "assistant", "end"]);
});

const long = () => numbered([
    ...turn("a", "one"),
    start("b"), user("b", "two"), reply("b", 1, "", [{ id: "c1", tool: "read", input: {} }]), usage("b", 1, 100, 10), { type: "tool_start", run: "b", turn: 1, call: "c1", tool: "read", level: "read_only" },
    { type: "tool_result", run: "b", turn: 1, call: "c1", tool: "read", content: "text", is_error: false, limit: null, receipt: null, ms: 1 },
    { type: "executor", run: "b", call: "c1", executor: "x1", agent: "explore", description: "d", state: "running" },
    reply("b", 2, "done"), usage("b", 2, 200, 20), { type: "executor", run: "b", call: "c1", executor: "x1", agent: "explore", description: "d", state: "done" }, end("b"), ...turn("c", "three"),
]);

/** Opened behind event `first`, the rest read in pages of `page`. */
function opened(events: Event[], first: number, page: number): View {
    const view = newView("s");
    Object.assign(view, { firstSeq: first, lastSeq: first - 1 });
    for (const e of events.slice(first - 1)) fold(view, e);
    while (view.firstSeq > 1) {
        const from = Math.max(1, view.firstSeq - page);
        older.take(view, from, events.slice(from - 1, view.firstSeq - 1));
    }
    return view;
}
const plain = (view: View) => JSON.parse(JSON.stringify(view.items, (key, value) => (key === "rev" ? undefined : value)));

test("read backwards in pages of any size, a session is what it is when it is read at once", () => {
    const events = long(), whole = plain(folded(events));
    for (let first = 1; first <= events.length; first++) {
        for (const page of [1, 2, 3, 7, 100]) {
            const view = opened(events, first, page);
            assert.deepEqual(plain(view), whole, `from ${first} in pages of ${page}`);
            assert.deepEqual([view.totals, view.carry], [{ input: 300, output: 30 }, []]);
            assert.equal(view.side.executors.get("x1")!.state, "done", "the newest word counts");
        }
    }
});

test("a run whose beginning is not loaded does not claim to know what it cost", () => {
    const events = long(), view = newView("s");
    Object.assign(view, { firstSeq: 12, lastSeq: 11 });
    for (const e of events.slice(11)) fold(view, e);
    const ended = view.items.find((i) => i.kind === "end");
    assert.ok(ended?.kind === "end" && ended.partial);
});

test("an edit whose message is not loaded yet hides what comes", () => {
    const events = numbered([...turn("a", "one"), ...turn("b", "two"), { type: "rewind", to: 2 }, ...turn("c", "new")]);
    const view = newView("s");
    Object.assign(view, { firstSeq: 8, lastSeq: 7 });
    for (const e of events.slice(7)) fold(view, e);
    assert.deepEqual(said(shownItems(view)), ["new"]);
    older.take(view, 1, events.slice(0, 7));
    assert.deepEqual(said(shownItems(view)), [[["one", "two"]], "new"]);
});

test("what is queued waits, joins, or is taken back", () => {
    const view = folded(numbered([start("a"), user("a", "one"), { type: "queued", id: "q1", text: "more" }, { type: "queued", id: "q2", text: "not this" }, { type: "unqueue", id: "q2" }]));
    assert.deepEqual(view.queued, [{ id: "q1", text: "more" }]);
    fold(view, at(6, user("a", "more", { queued: "q1" })));
    assert.deepEqual(view.queued, []);
    assert.deepEqual(view.items.map((i) => i.kind === "user" && i.queued), [false, true]);
});

test("a skill and a request to compact wait as messages do; what could not be sent stays in the conversation", () => {
    const skill = { id: "q1", text: "/review src", skill: "review", args: "src" }, compact = { id: "q2", text: "/compact", compact: "" };
    const view = folded(numbered([start("a"), user("a", "one"), { type: "queued", ...skill }, { type: "queued", ...compact }]));
    assert.deepEqual(view.queued, [skill, compact]);
    fold(view, at(5, { type: "unqueue", run: "a", id: "q1", text: "/review src", why: "there is no skill" }));
    const last = view.items.at(-1)!;
    assert.deepEqual([last.kind, last.kind === "line" && last.text, last.kind === "line" && last.more], ["line", "Not sent: /review src", "there is no skill"]);
    fold(view, at(6, { type: "compact", run: "a", by: "user", queued: "q2", upto: 1, summary: "" }));
    assert.deepEqual(view.queued, []);
});

test("a live word of an executor that comes after its end changes nothing", () => {
    const view = folded(long()), word = { type: "executor_state", run: "b", call: "c1", executor: "x1", agent: "explore", description: "d", state: "running" };
    fold(view, word as unknown as Event);
    assert.equal(view.side.executors.get("x1")!.state, "done");
    fold(view, at(99, { ...word, type: "executor" }));
    fold(view, { ...word, turns: 2 } as unknown as Event);
    assert.deepEqual([view.side.executors.get("x1")!.state, view.side.executors.get("x1")!.turns], ["running", 2]);
});

test("a skill is active until it ends, or its run does", () => {
    const view = folded(numbered([start("a"), user("a", "one"), { type: "skill", run: "a", skill: "review", active: true, tools: ["read"] }, { type: "skill", run: "a", skill: "pdf", active: true, tools: null }, { type: "skill", run: "a", skill: "review", active: false }]));
    assert.deepEqual(view.skills, [{ skill: "pdf", tools: null }]);
    fold(view, at(6, end("a")));
    assert.deepEqual(view.skills, []);
});

test("a command is completed at the beginning only, a file behind an @ that begins a word", () => {
    const { wordAt, matching } = complete;
    assert.deepEqual(wordAt("/comp", 5), { kind: "command", from: 0, word: "comp" });
    assert.deepEqual(wordAt("look at @src/ma", 15), { kind: "file", from: 8, word: "src/ma" });
    assert.deepEqual(wordAt("(@a", 3), { kind: "file", from: 1, word: "a" });
    for (const text of ["/src/main.c is wrong", "mail@example.org", "a /comp", "//comp", "@a b"]) assert.equal(wordAt(text, text.length), null, text);
    const commands = [["export", "Saves"], ["context", "Shows"], ["compact", "Replaces old turns"], ["cost", "Says"]].map(([name, description]) => ({ name: name!, description: description!, kind: "builtin" as const }));
    assert.deepEqual(matching(commands, "co").map((c) => c.name), ["context", "compact", "cost"]);
    assert.deepEqual(matching(commands, "old").map((c) => c.name), ["compact"]);
    assert.deepEqual(matching(commands, "zzz"), []);
});

test("a budget's numbers: none, a number above 0, or wrong", () => {
    const { budgetValue } = budget;
    assert.deepEqual([budgetValue("tokens", " "), budgetValue("tokens", "20"), budgetValue("time", "1.5"), budgetValue("money", "0,5")], [null, 20, 90, 0.5]);
    for (const text of ["0", "-1", "many", "1.5"]) assert.equal(budgetValue("calls", text), undefined, text);
});

test("the list: pinned first, then by days, executors only where they are unfolded", () => {
    const now = new Date(2026, 10, 26, 12), day = (n: number) => new Date(2026, 10, 26 - n, 9).toISOString();
    const row = (id: string, days: number, more = {}) => ({ id, title: id, created_at: day(days), updated_at: day(days), model: "", mode: "", events: 1, running: false, waiting: false, damaged: false, ...more });
    app.sessions = [row("f", 0), row("e", 1), row("d", 5), row("c", 20), row("b", 60), row("a", 400)];
    app.pinned = [row("d", 5, { pinned: true })];
    app.executors = new Map([["e", [row("e2", 1, { kind: "executor" }), row("e1", 1, { kind: "executor" })]]]);
    const shown = () => list.entries(now).map((e) => (e.kind === "head" ? `# ${e.text}` : `${"-".repeat(e.depth)}${e.row.id}`));
    assert.deepEqual(shown().filter((l) => !/\d{4}$/.test(l)), ["# Pinned", "d", "# Today", "f", "# Yesterday", "e", "# The last 30 days", "c", "b", "a"]);
    assert.equal(shown().filter((l) => /\d{4}$/.test(l)).length, 2, "older ones by months");
    app.unfolded = new Set(["e"]);
    assert.deepEqual(shown().slice(4, 8), ["# Yesterday", "e", "-e1", "-e2"]);
    assert.equal(new Set(list.entries(now).map((e) => e.key)).size, list.entries(now).length, "keys are unique");
});
