// The mock's half of context, rules, executors, skills, agents and retention: the shapes of docs/api.md with a state that changes as the real one would.
import { createHash } from "node:crypto";
import { call, newId, Session } from "./log.mjs";
import { attacks } from "./canned.mjs";

const part = (name, items) => ({ part: name, tokens: items.reduce((n, i) => n + i.tokens, 0), items });
const tokens = (text) => Math.ceil(text.length / 4);

export const hostileSkill = `---\nname: odd\ndescription: "<img src=x onerror=window.pwned=1> reads your mail"\n---\n${attacks.join("\n\n")}\n`;
const files = {
    review: `---\nname: review\ndescription: Reads a change and says what is wrong with it\nallowed-tools: read, grep, "bash(git *)"\nparameters:\n  - name: path\n    type: string\n    required: true\n    description: The folder to read\n  - name: depth\n    enum: [quick, full]\n    default: quick\n---\n# Review\n\nRead what changed in {{path}} (**{{depth}}**). Say what is wrong, worst first.\n`,
    weather: "---\nname: weather\ndescription: Tomorrow's weather of a place\n---\nAsk the weather service about $ARGUMENTS.\n",
    half: "---\nname: half\n---\nA skill without a description.\n",
    odd: hostileSkill,
};
const skill = (name, more) => ({ name, description: "", source: "workspace", path: `/home/ada/orchard/.boxagnts/skills/${name}/SKILL.md`, state: "ok", problem: null, warning: null, triggers: [], parameters: [], tools: null, uses: [], tokens: tokens(files[name] ?? ""), digest: "4ac1".repeat(16), ...more });
const skills = [
    skill("review", { description: "Reads a change and says what is wrong with it", source: "bundled", path: "bundled", tools: ["read", "grep", "bash(git *)"], triggers: ["review", "*.c"], uses: ["weather"],
        parameters: [{ name: "path", type: "string", required: true, description: "The folder to read" }, { name: "depth", type: "string", required: false, default: "quick", enum: ["quick", "full"] }] }),
    skill("weather", { description: "Tomorrow's weather of a place", source: "user", path: "/home/ada/.agents/skills/weather/SKILL.md", warning: "`tools` names wether, which is no tool here." }),
    skill("half", { state: "broken", problem: "SKILL.md has no description. Add `description: what it is for` to its front matter." }),
    skill("odd", { description: "<img src=x onerror=window.pwned=1> reads your mail", source: "root", path: "/home/ada/orchard/.claude/skills/odd/SKILL.md", state: "untrusted", problem: "It came with the folder and was not trusted yet." }),
];
skills.push({ ...skill("review", { description: "An older review", source: "user", path: "/home/ada/.agents/skills/review/SKILL.md" }), state: "shadowed", problem: "The one of this workspace is nearer." });
const agentTexts = {
    explore: "---\ndescription: Looks around and reports\ntools: [read, glob, grep]\nmax_turns: 20\nmode: plan\n---\nYou look around. You change nothing.\n",
    gardener: "---\ndescription: Changes one file at a time\ntools: [read, edit, prune]\nmodel: scripted/m\nmax_turns: 12\nisolation: worktree\n---\nYou change one file at a time.\n",
};
const agents = [
    { name: "explore", description: "Looks around and reports", tools: ["read", "glob", "grep"], model: null, max_turns: 20, mode: "plan", isolation: "none", source: "built in", path: null },
    { name: "build", description: "Makes changes and tests them", tools: null, model: null, max_turns: 50, mode: "default", isolation: "worktree", source: "built in", path: null },
    { name: "gardener", description: "Changes one file at a time", tools: ["read", "edit", "prune"], model: "scripted/m", max_turns: 12, mode: null, isolation: "worktree", source: "root", path: "/home/ada/orchard/agents/gardener.md", problem: "`tools` names prune, which is no tool here. Take it out or correct it." },
];
const packs = new Map([["house-rules", { description: "How this project is written", items: [{ kind: "text", text: "Tabs are four spaces." }, { kind: "file", path: "/docs/style.md" }] }], ["old-plan", { description: "The plan of last week", items: [{ kind: "file", path: "/docs/gone.md" }] }]]);
const memory = { text: "# Memory\n\n- The user likes short answers.\n- Tests run with `make test`.\n", path: "/home/ada/orchard/.boxagnts/memory.md", max_bytes: 16384 };
const memoryNow = () => ({ ...memory, digest: createHash("sha256").update(memory.text).digest("hex") });
const worktrees = new Map();
const contexts = new Map(); // session → { facts, packs, compacted }

const packRow = (name, p) => ({ name, description: p.description, tokens: p.items.length * 160, items: p.items.length, ...(name === "old-plan" ? { problem: "/docs/gone.md is not there any more." } : {}) });
const contextOf = (id) => contexts.get(id) ?? contexts.set(id, { facts: [{ id: "f1", text: "The branch is called orchard-2.", from: "user" }], packs: ["house-rules"], compacted: null }).get(id);

function context(s) {
    const own = contextOf(s.id), usage = s.events.filter((e) => e.type === "usage").at(-1);
    const results = s.events.filter((e) => e.type === "tool_result").map((e) => ({ name: e.tool, tokens: 60 + tokens(String(e.content)), seq: e.seq }));
    const history = s.events.filter((e) => e.type === "user" || e.type === "assistant").map((e) => ({ name: e.type === "user" ? "you" : "assistant", tokens: 40 + tokens(e.text ?? ""), seq: e.seq }));
    const kept = (list) => (own.compacted ? list.filter((i) => i.seq > own.compacted.upto) : list);
    const parts = [part("instructions", [{ name: "how the agent works", tokens: 820 }]), part("tools", [{ name: "read", tokens: 310 }, { name: "bash", tokens: 540 }, { name: "edit", tokens: 280 }, { name: "grep", tokens: 260 }]), part("skills", [{ name: "catalogue", tokens: 410 }]),
        part("project", [{ name: "AGENTS.md", tokens: 640 }]), part("memory", [{ name: "memory.md", tokens: tokens(memory.text) }]), part("packs", own.packs.map((name) => ({ name, tokens: (packs.get(name)?.items.length ?? 0) * 160 }))),
        part("facts", own.facts.map((f) => ({ name: f.text, tokens: tokens(f.text) }))), part("summary", own.compacted ? [{ name: "summary", tokens: 400 }] : []), part("history", kept(history)), part("results", kept(results))];
    const estimated = parts.reduce((n, p) => n + p.tokens, 0);
    return { window: 32768, measured: usage ? Math.round(estimated * 1.04) : null, estimated, compact_at: 26214, parts, facts: own.facts, packs: own.packs,
        cache: { cached_tokens: usage?.cached_tokens ?? 0, broken_by: s.events.length > 40 ? { part: "tools", what: "the tool mcp__git__status was added" } : null }, truncated: s.title.startsWith("Ask a model") };
}

function compact(s, focus) {
    const own = contextOf(s.id), before = context(s).estimated;
    own.compacted = { upto: s.events.length };
    s.live = true;
    s.add("compact", { by: "user", upto: s.events.length, summary: `## Goal\n\nKeep the orchard in order${focus ? ` (${focus})` : ""}.`, kept: own.facts.map((f) => f.text), lost: { turns: 3, results: 8, tokens: 1200, files: ["/src/orchard.c"] }, before_tokens: before, after_tokens: context(s).estimated });
    return { run: newId() };
}

function usage(s) {
    const list = s.events.filter((e) => e.type === "usage"), sum = (m) => list.reduce((n, e) => n + (e[m] ?? 0), 0);
    const byTool = new Map();
    for (const e of s.events.filter((x) => x.type === "tool_result")) {
        const t = byTool.get(e.tool) ?? byTool.set(e.tool, { tool: e.tool, calls: 0, errors: 0, ms: 0 }).get(e.tool);
        t.calls++; t.ms += e.ms; if (e.is_error) t.errors++;
    }
    const runs = s.events.filter((e) => e.type === "run_end").map((e) => {
        const own = list.filter((u) => u.run === e.run);
        return { run: e.run, t: e.t, reason: e.reason, turns: e.turns, input_tokens: own.reduce((n, u) => n + u.input_tokens, 0), output_tokens: own.reduce((n, u) => n + u.output_tokens, 0), cost: 0.0021 * own.length, ms: e.ms };
    });
    return { input_tokens: sum("input_tokens"), output_tokens: sum("output_tokens"), cached_tokens: sum("cached_tokens"), cost: runs.reduce((n, r) => n + r.cost, 0), turns: list.length, calls: [...byTool.values()].reduce((n, t) => n + t.calls, 0),
        ms: runs.reduce((n, r) => n + r.ms, 0), by_model: [{ model: s.model, input_tokens: sum("input_tokens"), output_tokens: sum("output_tokens"), cost: 0.0021 * list.length, turns: list.length }], by_tool: [...byTool.values()], runs, executors: { sessions: s.title.startsWith("Mend") ? 7 : 0, input_tokens: 85200, output_tokens: 4980, cost: 0.0504 } };
}

/** A session that delegates: five executors in every state, one of them with one of its own. */
export function managedSessions(at) {
    const manager = new Session({ title: "Mend the orchard with four hands", at });
    manager.begin("Mend the orchard: let several of you work on it.");
    const make = (agent, description, state, more = {}, parent = manager) => {
        const s = new Session({ title: description, at: at + 1000 });
        Object.assign(s, { kind: "executor", parent: { session: parent.id, run: manager.run, call: "call_agent" }, agent });
        s.begin(description);
        if (more.worktree) worktrees.set(more.worktree.id, { ...more.worktree, executor: s.id, base: "4f1c9e0d", into: "main", uncommitted: 1, path: `/home/ada/orchard/.boxagnts/worktrees/${more.worktree.id}` });
        const { worktree, ...rest } = more;
        s.executor = { session: s.id, agent, description, state, parent: parent.id, depth: parent === manager ? 1 : 2, turns: 4, max_turns: 20, input_tokens: 14200, output_tokens: 830, cost: 0.0084, reason: null, started_at: new Date(at).toISOString(), ms: 41200, waiting: false, worktree: worktree ? worktree.id : null, ...rest };
        const calls = [call("read", { file_path: "/src/tree.c" })];
        s.assistant("I will read it first.", calls); s.allow(calls[0]); s.started(calls[0], "read_only"); s.result(calls[0], "#include \"tree.h\"\n");
        if (state === "running") s.waiting = rest.waiting ? { question: "q-x", answer() {}, cancel() {} } : null;
        else { s.assistant("That is done."); s.end(state === "done" ? "done" : state === "stopped" ? "stopped" : "max_turns"); }
        manager.add("executor", { call: "call_agent", executor: s.id, agent, description, state, reason: rest.reason ?? null, turns: 4, input_tokens: 14200, output_tokens: 830, cost: 0.0084, ms: 41200 });
        return s;
    };
    const list = [make("explore", "Find every place that allocates", "done"), make("build", "Check what calloc returns in src/orchard.c", "running", { turns: 7, worktree: { id: "w-orchard", branch: "boxagnts/orchard-7f3a", state: "active", files: 2, insertions: 14, deletions: 3 } }),
        make("gardener", "Give the tests of orchard.c names that say what they test", "running", { waiting: true }), make("build", "Rename the walk", "done", { worktree: { id: "w-walk", branch: "boxagnts/walk-19c2", state: "finished", files: 4, insertions: 41, deletions: 38 } }),
        make("build", "Write the manual", "limit", { reason: "tokens", worktree: { id: "w-manual", branch: "boxagnts/manual-88aa", state: "finished", files: 1, insertions: 120, deletions: 0 } }), make("explore", "Look at the other library", "queued", { turns: 0, input_tokens: 0, output_tokens: 0, cost: null, ms: null, started_at: null })];
    list.push(make("explore", "List the callers of orchard_new", "done", {}, list[1]));
    manager.assistant("Four of us work on it; I will put it together.");
    manager.end();
    return [manager, ...list];
}

const diff = "diff --git a/src/tree.c b/src/tree.c\n--- a/src/tree.c\n+++ b/src/tree.c\n@@ -1,3 +1,4 @@\n #include \"tree.h\"\n-void walk(struct tree *t);\n+void tree_walk(struct tree *t);\n+/* <img src=x onerror=window.pwned=1> */\n";

export function runtimeRoutes({ sessions, find, Problem, sockets, settings, tools, messages, stop }) {
    const gone = (what) => { throw new Problem(404, `There is no such ${what}.`); };
    const tell = (op) => { for (const s of sockets) s.send({ op }); };
    const findSkill = (name) => skills.find((s) => s.name === name && s.state !== "shadowed") ?? gone("skill");
    const findAgent = (name) => agents.find((a) => a.name === name) ?? gone("agent");
    const executorsOf = (id) => [...sessions.values()].filter((s) => s.executor?.parent === id).flatMap((s) => {
        const worktree = worktrees.get(s.executor.worktree);
        const state = s.executor.state === "running" && !s.run ? "stopped" : s.executor.state;
        return [{ ...s.executor, state, worktree: worktree ? { id: worktree.id, branch: worktree.branch, state: worktree.state } : null }, ...executorsOf(s.id)];
    });
    const check = (text) => ({ problem: !/^---\n[\s\S]*?\n---/.test(text) ? "SKILL.md begins with front matter between two lines of ---." : !/\ndescription: *\S/.test(text) ? "It has no description. Add `description: what it is for` to its front matter." : null,
        warnings: /wether/.test(text) ? ["`tools` names wether, which is no tool here."] : [] });
    return [
        ["GET", /^\/sessions\/([^/]+)\/context$/, ([id]) => context(find(id))],
        ["POST", /^\/sessions\/([^/]+)\/compact$/, ([id], body) => [202, compact(find(id), body.focus)]],
        ["POST", /^\/sessions\/([^/]+)\/facts$/, ([id], body) => { const f = { id: newId(), text: body.text, from: "user" }; contextOf(id).facts.push(f); find(id).add("fact", f); return [201, { id: f.id }]; }],
        ["DELETE", /^\/sessions\/([^/]+)\/facts\/([^/]+)$/, ([id, fact]) => { const own = contextOf(id); own.facts = own.facts.filter((f) => f.id !== fact); find(id).add("fact_drop", { id: fact }); return [204]; }],
        ["POST", /^\/sessions\/([^/]+)\/packs$/, ([id], body) => { if (!packs.has(body.name)) gone("pack"); contextOf(id).packs.push(body.name); find(id).add("attach", { pack: body.name }); return [204]; }],
        ["DELETE", /^\/sessions\/([^/]+)\/packs\/([^/]+)$/, ([id, name]) => { const own = contextOf(id); own.packs = own.packs.filter((p) => p !== name); find(id).add("detach", { pack: name }); return [204]; }],
        ["GET", /^\/memory$/, memoryNow],
        ["PUT", /^\/memory$/, (_, body) => {
            if (body.digest !== undefined && body.digest !== memoryNow().digest) throw new Problem(409, "Already exists", "The memory has changed meanwhile, nothing was written: read it again, take over what is new, and save with the digest that it has now.");
            if (body.text.length > memory.max_bytes) throw new Problem(400, "Bad request", `The memory takes ${memory.max_bytes} bytes, this has ${body.text.length}. Shorten it.`);
            memory.text = body.text;
            return memoryNow();
        }],
        ["GET", /^\/packs$/, () => ({ packs: [...packs].map(([name, p]) => packRow(name, p)) })],
        ["GET", /^\/packs\/([^/]+)$/, ([name]) => packs.get(name) ?? gone("pack")],
        ["PUT", /^\/packs\/([^/]+)$/, ([name], body) => { packs.set(name, { description: body.description, items: body.items }); return packs.get(name); }],
        ["DELETE", /^\/packs\/([^/]+)$/, ([name]) => { packs.delete(name) || gone("pack"); return [204]; }],
        ["POST", /^\/permit\/test$/, (_, body) => trial(body, tools)],
        ["GET", /^\/sessions\/([^/]+)\/usage$/, ([id]) => usage(find(id))],
        ["POST", /^\/sessions\/([^/]+)\/stop$/, ([id]) => {
            const s = find(id);
            if (!s.executor) { if (!s.run) throw new Problem(409, "Nothing runs."); stop(s); return [202, {}]; }
            Object.assign(s.executor, { state: "stopped", waiting: false });
            if (worktrees.has(s.executor.worktree)) worktrees.get(s.executor.worktree).state = "finished";
            s.end("stopped");
            find(s.executor.parent).add("executor", { call: "call_agent", executor: id, agent: s.agent, description: s.executor.description, state: "stopped", reason: null, turns: s.executor.turns, input_tokens: 14200, output_tokens: 830, cost: 0.0084, ms: 41200 });
            return [202, {}];
        }],
        ["POST", /^\/sessions\/([^/]+)\/messages$/, ([id], body) => {
            const s = find(id);
            if (!s.executor || !s.run) return messages([id], body);
            s.add("user", { text: body.text });
            find(s.executor.parent).delta("executor_state", { executor: id, state: "running", turns: ++s.executor.turns, waiting: s.executor.waiting, agent: s.agent, description: s.executor.description });
            return [202, { queued: newId() }];
        }],
        ["GET", /^\/sessions\/([^/]+)\/executors$/, ([id]) => { find(id); return { executors: executorsOf(id) }; }],
        ["GET", /^\/worktrees$/, () => ({ worktrees: [...worktrees.values()] })],
        ["GET", /^\/worktrees\/([^/]+)\/diff$/, ([id]) => (worktrees.has(id) ? { diff, cut: false } : gone("worktree"))],
        ["POST", /^\/worktrees\/([^/]+)\/(merge|keep|discard)$/, ([id, how]) => {
            const w = worktrees.get(id) ?? gone("worktree"), clash = how === "merge" && id === "w-manual";
            w.state = clash ? "conflict" : { merge: "merged", keep: "kept", discard: "discarded" }[how];
            return { state: w.state, conflicts: clash ? ["docs/manual.md", "README.md"] : [], ...(clash ? { problem: "Both sides changed the same places; nothing was merged. Let an executor merge it in its worktree, or keep the branch." } : {}) };
        }],
        ["GET", /^\/skills$/, () => ({ skills })],
        ["POST", /^\/skills\/check$/, (_, body) => check(body.text)],
        ["GET", /^\/skills\/([^/]+)$/, ([name]) => ({ ...findSkill(name), text: files[name], files: name === "review" ? ["references/list.md"] : [] })],
        ["PUT", /^\/skills\/([^/]+)$/, ([name], body) => {
            const { problem } = check(body.text), old = skills.find((s) => s.name === name && s.state !== "shadowed");
            if (!/^[a-z0-9-]+$/.test(name)) throw new Problem(400, "Bad request", "A skill's name has small letters, digits and hyphens.");
            files[name] = body.text;
            const next = skill(name, { description: /\ndescription: *(.*)/.exec(body.text)?.[1] ?? "", state: problem ? "broken" : "ok", problem });
            if (old) Object.assign(old, next); else skills.push(next);
            tell("skills");
            return { ...next, text: body.text };
        }],
        ["DELETE", /^\/skills\/([^/]+)$/, ([name]) => { skills.splice(skills.indexOf(findSkill(name)), 1); tell("skills"); return [204]; }],
        ["POST", /^\/skills\/([^/]+)\/trust$/, ([name]) => { Object.assign(findSkill(name), { state: "ok", problem: null }); tell("skills"); return [204]; }],
        ["POST", /^\/skills\/([^/]+)\/expand$/, ([name], body) => {
            const s = findSkill(name), words = (body.args ?? "").split(/\s+/).filter(Boolean), given = Object.fromEntries(words.filter((w) => w.includes("=")).map((w) => w.split("=")));
            const plain = words.filter((w) => !w.includes("="));
            s.parameters.forEach((p) => { given[p.name] ??= plain.shift() ?? p.default; });
            const missing = s.parameters.find((p) => p.required && given[p.name] === undefined);
            if (missing) throw new Problem(400, "Bad request", `The parameter ${missing.name} is needed: /${name} ${missing.name}=…`);
            return { text: files[name].replace(/^---[\s\S]*?---\n/, "").replace(/\{\{(\w+)\}\}/g, (_, p) => given[p] ?? "").replaceAll("$ARGUMENTS", body.args ?? "") };
        }],
        ["GET", /^\/agents$/, () => ({ agents })],
        ["GET", /^\/agents\/([^/]+)$/, ([name]) => ({ ...findAgent(name), text: agentTexts[name] ?? "---\ndescription: Makes changes and tests them\n---\nYou make changes and test them.\n" })],
        ["PUT", /^\/agents\/([^/]+)$/, ([name], body) => {
            if (!/\ndescription: *\S/.test(body.text)) throw new Problem(400, "Bad request", "The file has no description. Add `description: what it is for` to its front matter.");
            agentTexts[name] = body.text;
            const next = { name, description: /\ndescription: *(.*)/.exec(body.text)[1], tools: null, model: null, max_turns: 50, mode: null, isolation: "none", source: "workspace", path: `/home/ada/orchard/.boxagnts/agents/${name}.md`, problem: null };
            const old = agents.find((a) => a.name === name);
            if (old) Object.assign(old, next); else agents.push(next);
            tell("agents");
            return { ...next, text: body.text };
        }],
        ["DELETE", /^\/agents\/([^/]+)$/, ([name]) => { agents.splice(agents.indexOf(findAgent(name)), 1); tell("agents"); return [204]; }],
        ["GET", /^\/retention$/, () => {
            const { archive_after_days: archive = null, delete_after_days: remove = null } = settings.retention ?? {}, rows = [...sessions.values()].filter((s) => s.kind !== "executor").map((s) => s.row());
            const older = (days) => (days === null ? [] : rows.filter((r) => Date.parse(r.updated_at) < Date.now() - days * 86400e3 && !r.pinned));
            return { archive_after_days: archive, delete_after_days: remove, would_archive: older(archive), would_delete: older(remove) };
        }],
    ];
}

/** As the evaluator would say it, for the calls that the tests ask about. */
function trial({ tool, input, mode = "default" }, tools) {
    const level = tools.find((t) => t.name === tool)?.level ?? "execute";
    const parts = typeof input.command === "string" ? input.command.split(/&&|;|\|\|?/).map((c) => c.trim()).filter(Boolean).map((command) => ({ command, decision: /^rm\b/.test(command) ? "deny" : /^(ls|git status|grep)\b/.test(command) ? "allow" : "ask" })) : undefined;
    const worst = (list) => ["deny", "ask", "allow"].find((d) => list.some((p) => p.decision === d));
    const decision = parts ? worst(parts) : level === "read_only" || level === "none" ? "allow" : mode === "plan" ? "deny" : "ask";
    return { decision, by: parts && decision === "deny" ? "rule" : "mode", reason: decision === "deny" && parts ? "`rm` is denied by a rule of this workspace." : decision === "ask" ? `this mode asks before it ${level === "write" ? "changes files" : "runs anything"}` : "reading is allowed in this mode",
        ...(parts && decision === "deny" ? { rule: "g0" } : {}), ...(parts ? { parts } : {}) };
}
