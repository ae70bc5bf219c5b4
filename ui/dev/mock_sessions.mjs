// The mock's half of sessions: search, pins, bulk, the trash, forks, export and import, the queue, edited messages, commands, files.
import { call, newId, Session } from "./log.mjs";
import { compact, play, plays, say, stop } from "./plays.mjs";

const commands = [
    ["help", "", "Says what there is"], ["clear", "", "Begins a new session"], ["compact", "[focus]", "Replaces old turns by a summary"], ["resume", "", "Opens the list of sessions"], ["model", "[id]", "Shows or changes the model"],
    ["permissions", "", "Shows the rules"], ["fork", "", "Copies this session"], ["export", "", "Saves this session as a file"], ["cost", "", "Says what this session has used"], ["context", "", "Shows what fills the window"],
    ["agents", "", "Shows the agents"], ["skills", "", "Shows the skills"], ["init", "", "Writes AGENTS.md"], ["doctor", "", "Checks this installation"], ["plan", "", "Plans before anything is changed"],
].map(([name, args, description]) => ({ name, args, description, kind: "builtin" })).concat([{ name: "review", args: "path [depth]", description: "Reads a change and says what is wrong with it", kind: "skill" }, { name: "gardener", args: "task", description: "Changes one file at a time", kind: "agent" }]);
const files = ["README.md", "src/", "src/main.c", "src/orchard.c", "src/orchard.h", "src/tree.c", "src/tree.h", "tests/", "tests/test_orchard.c", "tests/test_tree.c", "docs/a name with spaces.md"];

const textOf = (e) => (e.type === "user" || e.type === "assistant" || e.type === "note" ? e.text : e.type === "tool_result" && typeof e.content === "string" ? e.content : "");
function hits(s, q) {
    const found = [];
    for (const e of s.events) {
        const text = textOf(e), at = text.toLowerCase().indexOf(q);
        if (at >= 0 && found.length < 3) found.push({ seq: e.seq, text: text.slice(Math.max(0, at - 40), at + 80).replace(/\s+/g, " ") });
    }
    return found.length ? found : null;
}

/** A play in which an executor is at work: found by the word HANDS ON. */
function handsOn(sessions) {
    plays["HANDS ON"] = async (s) => {
        const c = call("Agent", { description: "Find every tree", prompt: "Find every tree.", agent: "explore" }), child = new Session({ title: "Find every tree" });
        Object.assign(child, { kind: "executor", parent: { session: s.id, run: s.run, call: c.id }, agent: "explore" });
        sessions.set(child.id, child);
        if (!await say(s, "One of us looks around.", [c])) return;
        const state = (state, more) => ({ call: c.id, executor: child.id, agent: "explore", description: "Find every tree", state, reason: null, turns: 0, input_tokens: 0, output_tokens: 0, cost: 0, ms: 0, ...more });
        s.allow(c); s.started(c, "execute");
        s.add("executor", state("running"));
        child.begin("Find every tree."); child.assistant("There are two."); child.end();
        s.delta("executor_state", state("running", { turns: 1, input_tokens: 1200 }));
        s.add("executor", state("done", { reason: "done", turns: 3, input_tokens: 4800, output_tokens: 210, cost: 0.003, ms: 900 }));
        s.result(c, "There are two trees.");
        await say(s, "There are two.");
    };
}

export function sessionRoutes({ sessions, find, Problem, announce }) {
    const trash = new Map();
    handsOn(sessions);
    const bad = (detail) => { throw new Problem(400, "Bad request", detail); };
    const remove = (id) => { const s = find(id); if (s.run) throw new Problem(409, "This session is working. Stop it first."); sessions.delete(id); trash.set(id, s); announce(); };
    const restore = (id) => { const s = trash.get(id) ?? (() => { throw new Problem(404, "There is no such session in the trash."); })(); trash.delete(id); sessions.set(id, s); announce(); return s; };
    const pin = (id, pinned) => { const s = find(id); s.pinned = pinned; s.add("pin", { pinned }); announce(); };
    const copy = (s, upto) => {
        const next = new Session({ title: s.title, model: s.model, mode: s.mode });
        Object.assign(next, { events: s.events.filter((e) => e.seq <= upto).map((e) => ({ ...e })), forked_from: { session: s.id, seq: upto }, clock: Date.now() });
        const open = next.events.findLast((e) => e.type === "run_start" || e.type === "run_end");
        if (open?.type === "run_start") { next.run = open.run; next.startedAt = next.clock; next.end("interrupted"); }
        sessions.set(next.id, next);
        announce();
        return next;
    };
    async function send(s, text, replace, end, kind = {}) {
        if (s.run && replace !== undefined) {
            if (!end) throw new Problem(409, "This session is working: stop it first, or send this with \"stop\": true.");
            stop(s);
            await new Promise((done) => { const look = setInterval(() => { if (!s.run) { clearInterval(look); done(); } }, 5); });
        }
        if (s.run) {
            const one = { id: newId(), text, ...kind };
            s.queue.push(one);
            s.add("queued", one);
            return { queued: one.id };
        }
        if (replace !== undefined) {
            if (s.events[replace - 1]?.type !== "user") bad(`Event ${replace} is no message of yours.`);
            s.live = true;
            s.add("rewind", { to: replace });
        }
        void play(s, text).then(announce);
        announce();
        const watch = setInterval(() => { if (!s.run) clearInterval(watch); announce(); }, 300);
        return { run: s.run };
    }
    async function command(s, text) {
        if (!/^\/[a-z]/i.test(text)) bad("a command begins with a slash and a name: /help lists them");
        const [name, ...args] = text.slice(1).split(/\s+/), known = commands.find((c) => c.name === name);
        if (!known) bad(`There is no command /${name}. ${name.startsWith("com") ? "Did you mean /compact?" : "/help lists them."}`);
        const started = ({ run, queued }) => (run ? { kind: "run", run } : { kind: "queued", queued });
        if (known.kind !== "builtin") return started(await send(s, s.run ? text : `MARK DOWN of /${name} ${args.join(" ")}`, undefined, false, { skill: name, args: args.join(" ") }));
        if (name === "compact" && s.run) return started(await send(s, text, undefined, false, { compact: args.join(" ") }));
        if (name === "help") return { kind: "text", text: `**Commands**\n\n${commands.map((c) => `- \`/${c.name}\` ${c.description}`).join("\n")}` };
        if (name === "cost") return { kind: "text", text: "This session has used **0 tokens**." };
        if (name === "fork") return { kind: "session", session: copy(s, s.events.length).id };
        if (name === "clear") { const next = new Session({}); sessions.set(next.id, next); announce(); return { kind: "session", session: next.id }; }
        if (name === "compact") { s.live = true; compact(s, args.join(" ")); return { kind: "text", text: "Compacted." }; }
        return { kind: "open", what: { resume: "sessions" }[name] ?? name };
    }
    return [
        ["GET", /^\/sessions$/, (_, __, url) => {
            const get = (name) => url.searchParams.get(name), q = (get("q") ?? "").toLowerCase(), limit = Number(get("limit") ?? 50), kind = get("kind") ?? "chat";
            let rows = [...sessions.values()].filter((s) => (s.kind ?? "chat") === kind && (!get("pinned") || s.pinned) && (!get("parent") || s.parent?.session === get("parent"))).sort((a, b) => (a.id < b.id ? 1 : -1));
            if (get("before")) rows = rows.filter((s) => s.id < get("before"));
            const all = rows.map((s) => ({ s, hit: q && get("in") === "text" ? hits(s, q) : null })).filter((r) => !q || (get("in") === "text" ? r.hit : r.s.title.toLowerCase().includes(q)));
            return { sessions: all.slice(0, limit).map((r) => ({ ...r.s.row(), ...(r.hit ? { hit: r.hit[0], hits: r.hit } : {}) })), more: all.length > limit };
        }],
        ["GET", /^\/sessions\/([0-9a-f-]{36})$/, ([id]) => { const s = find(id); return { session: s.row(), header: { v: 1, id }, todos: s.events.findLast((e) => e.type === "todo")?.todos ?? [], budget: s.budget ?? {}, queued: s.queue }; }],
        ["GET", /^\/sessions\/([^/]+)\/events$/, ([id], _, url) => {
            const from = Number(url.searchParams.get("from") ?? 1), limit = Number(url.searchParams.get("limit") ?? 500), s = find(id), events = s.events.slice(from - 1, from - 1 + limit);
            return { events, next: from - 1 + limit < s.events.length ? from + limit : null };
        }],
        ["PATCH", /^\/sessions\/([^/]+)$/, ([id], body) => {
            const s = find(id);
            for (const [k, v] of Object.entries(body)) {
                if (k === "budget") { s.budget = Object.fromEntries(Object.entries({ ...s.budget, ...v }).filter(([, x]) => x !== null)); s.add("budget", { budget: s.budget }); continue; }
                s[k] = v;
                s.add(k === "pinned" ? "pin" : k, { [k]: v });
            }
            announce();
            return s.row();
        }],
        ["DELETE", /^\/sessions\/([^/]+)$/, ([id]) => { remove(id); return [204]; }],
        ["POST", /^\/sessions\/([^/]+)\/restore$/, ([id]) => restore(id).row()],
        ["POST", /^\/sessions\/bulk$/, (_, body) => {
            const answer = { done: [], failed: [] }, act = { delete: remove, restore, pin: (id) => pin(id, true), unpin: (id) => pin(id, false) }[body.do];
            for (const id of body.ids) { try { act(id); answer.done.push(id); } catch (e) { answer.failed.push({ id, detail: e.message }); } }
            return answer;
        }],
        ["POST", /^\/sessions\/([^/]+)\/fork$/, ([id], body) => { const s = find(id); return [201, copy(s, body.seq ?? s.events.length).row()]; }],
        ["GET", /^\/sessions\/([^/]+)\/export$/, ([id], _, url) => {
            const s = find(id);
            return url.searchParams.get("format") === "html" ? [200, `<!doctype html><title>${id}</title>`, { "Content-Type": "text/html", "Content-Disposition": `attachment; filename="${id}.html"` }]
                : [200, JSON.stringify({ header: { v: 1, id, title: s.title }, events: s.events }), { "Content-Type": "application/json", "Content-Disposition": `attachment; filename="${id}.json"` }];
        }],
        ["POST", /^\/sessions\/import$/, (_, body) => {
            if (!Array.isArray(body.events)) bad("This is no session: it has no `events`. An export of ours, a .jsonl of a session, or a session of the first version are taken.");
            const s = new Session({ title: body.header?.title ?? "Imported" });
            s.events = body.events.map((e, i) => ({ ...e, seq: i + 1 }));
            sessions.set(s.id, s);
            announce();
            return [201, { session: s.row(), warnings: body.warnings ?? [] }];
        }],
        ["POST", /^\/sessions\/([^/]+)\/messages$/, async ([id], body) => [202, await send(find(id), body.text, body.replace, body.stop)]],
        ["DELETE", /^\/sessions\/([^/]+)\/queued\/([^/]+)$/, ([id, queued]) => {
            const s = find(id);
            if (!s.queue.some((q) => q.id === queued)) throw new Problem(404, "It has joined the conversation already.");
            s.queue = s.queue.filter((q) => q.id !== queued);
            s.add("unqueue", { id: queued });
            return [204];
        }],
        ["POST", /^\/sessions\/([^/]+)\/command$/, ([id], body) => command(find(id), body.text)],
        ["GET", /^\/commands$/, () => ({ commands })],
        ["GET", /^\/files$/, (_, __, url) => {
            const q = (url.searchParams.get("q") ?? "").toLowerCase(), found = files.filter((f) => f.toLowerCase().includes(q)).map((path) => ({ path: path.replace(/\/$/, ""), kind: path.endsWith("/") ? "folder" : "file" }));
            return { files: found.slice(0, 20), cut: found.length > 20 };
        }],
    ];
}

/** A session in which everything happens that is no message and no call. */
export function eventful(at) {
    const s = new Session({ title: "Everything that happens to a session", at });
    s.begin("Please look at the trees.");
    s.add("skill", { skill: "review", active: true, tools: ["read", "grep", "bash(git *)"] });
    s.assistant("They are in `src/tree.c`.");
    s.end();
    s.add("rewind", { to: 2 });
    s.begin("Please look at the apple trees.");
    s.add("fact", { id: "f1", text: "The branch is called orchard-2.", from: "user" });
    s.assistant("Two apple trees.");
    s.end();
    s.add("rewind", { to: s.events.findLast((e) => e.type === "user").seq });
    s.begin("Please look at the old apple trees.");
    s.add("cache_break", { turn: 1, part: "tools", what: "the tool mcp__git__status was added" });
    s.assistant("One of them is old.");
    s.add("user", { text: "And the pears?", queued: "q1" });
    s.assistant("There are no pears.");
    s.add("compact", { by: "threshold", upto: s.events.length, summary: "## Goal\n\nLook at the trees.\n\n## Decisions\n\n- Only **apples**", kept: ["The branch is called orchard-2."], lost: { turns: 4, results: 9, tokens: 18200, files: ["/src/tree.c", "/src/orchard.c"] }, before_tokens: 26400, after_tokens: 4100 });
    s.add("attach", { pack: "house-rules" });
    s.add("fact_drop", { id: "f1" });
    s.add("planner", { planner: true });
    s.add("limit", { limit: "money", text: "Stopped: the budget of $0.50 is used up. Raise it in the session's budget, or begin a new session." });
    s.end("money");
    return s;
}

/** 10,000 messages, of different lengths. */
export function big(at) {
    const s = new Session({ title: "Ten thousand messages", at });
    for (let i = 1; i <= 5000; i++) {
        s.begin(`Message ${i}${i % 7 === 0 ? `: ${"and so on ".repeat(i % 40)}` : ""}`);
        s.assistant(i % 5 === 0 ? `Reply ${i}\n\n${Array.from({ length: i % 23 }, (_, n) => `- point ${n} of ${i}`).join("\n")}` : `Reply ${i}.`);
        s.end();
    }
    return s;
}
