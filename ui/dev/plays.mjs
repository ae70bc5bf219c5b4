// What the mock's model does with a message: the first play whose word is in it. Each is an async function of the session.
import { attacks } from "./canned.mjs";
import { call, newId } from "./log.mjs";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export function compact(s, focus, queued) {
    s.add("compact", { by: "user", ...(queued ? { queued } : {}), upto: s.events.length, summary: `## Goal\n\nKeep the orchard in order.\n\n## Decisions\n\n- \`calloc\` is checked${focus ? `\n- ${focus}` : ""}`, kept: ["The branch is called orchard-2."],
        lost: { turns: 3, results: 8, tokens: 1200, files: ["/src/orchard.c"] }, before_tokens: 24800, after_tokens: 3100 });
}

/** What was typed meanwhile. */
function join(s, { id, text, skill, compact: focus }) {
    if (focus !== undefined) return compact(s, focus, id);
    s.add("user", { text, queued: id });
    if (skill) s.add("skill", { skill, active: true, by: "user", tools: ["read"] });
}

/** Streams a reply in pieces; ends early when the run was stopped. */
export async function say(s, text, calls = [], { pause = 8, size = 12, more = {} } = {}) {
    for (const one of s.queue.splice(0)) join(s, one);
    const turn = s.turn + 1;
    s.delta("state", { phase: "thinking", text: "" });
    await wait(pause * 4);
    let said = 0;
    for (let i = 0; i < text.length && !s.stopped; i += size) {
        s.delta("delta", { turn, text: text.slice(i, i + size) });
        said = i + size;
        if (pause) await wait(pause); else if (i % (size * 40) === 0) await wait(1);
    }
    for (const [index, c] of calls.entries()) s.delta("delta_call", { turn, index, tool: c.tool, arguments: JSON.stringify(c.input) });
    s.assistant(text.slice(0, said), s.stopped ? [] : calls, s.stopped ? { finish: "stopped" } : more);
    return !s.stopped;
}

async function read(s, calls, content, ms = 120) {
    for (const c of calls) { s.allow(c); s.started(c, "read_only"); }
    s.delta("state", { phase: "tools", text: "" });
    await Promise.all(calls.map(async (c, i) => { await wait(ms + i * 15); s.result(c, content(i), { ms: ms + i * 15 }); }));
}

function ask(s, c, text, more = { kind: "permission", level: "write", input: c.input, choices: ["once", "session", "always", "no"] }) {
    const question = newId();
    s.add("question", { question, call: c.id, tool: c.tool, text, ...more });
    s.delta("state", { phase: "waiting", text: "waiting for an answer" });
    return new Promise((done) => {
        s.waiting = { question, answer: (choice, note, from, answers) => { s.waiting = null; s.add("answer", { question, choice, text: note, from, ...(answers ? { answers } : {}) }); done(choice); }, cancel: () => { s.waiting = null; done(null); } };
    });
}

const essay = (n) => Array.from({ length: n }, (_, i) => `## Part ${i + 1}\n\nThe **orchard** keeps its trees in one array, and \`tree_walk\` visits them in order. `
    + `What follows is a list:\n\n- apples are sorted\n- pears are not\n\n\`\`\`c\nfor (size_t i = 0; i < o->count; i++)\n    tree_walk(o->trees[i]);\n\`\`\`\n\n`).join("");

export const plays = {
    "EIGHT FILES": async (s) => {
        const calls = Array.from({ length: 8 }, (_, i) => call("read", { file_path: `/file-${i + 1}.txt` }));
        if (!await say(s, "I will read all eight at once.", calls)) return;
        await read(s, calls, (i) => `content of file ${i + 1}\n`);
        await say(s, "All eight are read.");
    },
    "WRITE IT": async (s) => {
        const c = call("write", { file_path: "/notes.md", content: "# Notes\n\nWritten by the test.\n" });
        if (!await say(s, "I will write it down.", [c])) return;
        const choice = await ask(s, c, "Let `write` create or replace files in /, no network, until the end of this run.");
        if (!choice) return;
        const allowed = choice !== "no";
        s.add("permission", { call: c.id, tool: "write", decision: allowed ? "allow" : "deny", reason: allowed ? "you allowed it" : "the user said no.", by: "user" });
        if (allowed) { s.started(c, "write"); s.result(c, "Wrote /notes.md (3 lines).", { metadata: { path: "/notes.md", created: true, bytes: 30, lines: 3 } }); }
        else s.result(c, "the user said no.", { error: true, ms: 0 });
        await say(s, allowed ? "It is written." : "Then I leave it.");
    },
    "NEVER ENDS": async (s) => { await say(s, essay(4000), [], { pause: 15, size: 8 }); },
    "TWO TURNS": async (s) => {
        const c = call("grep", { pattern: "apple", path: "/" });
        if (!await say(s, "First I search.", [c])) return;
        s.allow(c); s.started(c, "read_only");
        await new Promise((done) => { const look = setInterval(() => { if (s.stopped || s.queue.length) { clearInterval(look); done(); } }, 30); }); // until a word is added
        s.result(c, "src/a.c:1: apple");
        await say(s, "Now I know both.");
    },
    "STREAM FAST": async (s) => { await say(s, essay(80), [], { pause: 0, size: 5 }); }, // about 5,000 pieces
    "MARK DOWN": async (s) => { await say(s, essay(2)); },
    "BREAK THE PAGE": async (s) => {
        s.title = attacks[1]; s.add("title", { title: s.title });
        const c = call("read", { file_path: `/${attacks[1]}.txt` });
        if (!await say(s, attacks.join("\n\n"), [c])) return;
        await read(s, [c], () => attacks.join("\n"), 10);
        await say(s, "Done.");
    },
    "SLOW TOOL": async (s) => {
        const c = call("grep", { pattern: "apple", path: "/" });
        if (!await say(s, "I will search.", [c])) return;
        s.allow(c); s.started(c, "read_only"); s.delta("state", { phase: "tools", text: "" });
        for (let i = 0; i < 400 && !s.stopped; i++) { s.delta("delta_output", { call: c.id, stream: "stdout", text: `src/file-${i}.c:${i}: apple\n` }); await wait(25); }
        s.result(c, s.stopped ? "Stopped by you." : "400 lines", { ms: 3000, error: s.stopped, limit: s.stopped ? "stopped" : null });
        if (!s.stopped) await say(s, "Found them.");
    },
    "ASK ME": async (s) => {
        const one = { question: "Which database should the orchard use?", header: "Database", multi: false, options: [{ label: "SQLite", description: "One file, no server" }, { label: "PostgreSQL", description: "A server of its own" }] };
        const c = call("AskUserQuestion", { questions: [one] });
        if (!await say(s, "One thing to decide.", [c])) return;
        s.allow(c, "level"); s.started(c, "none");
        const choice = await ask(s, c, one.question, { kind: "ask", questions: [one], choices: ["answer", "no"] });
        if (!choice) return;
        s.result(c, choice === "no" ? "The user did not answer." : "SQLite", { error: choice === "no" });
        await say(s, "Good.");
    },
    "ASK MORE": async (s) => {
        const questions = [{ question: "Which fruits?", header: "Fruits", multi: true, options: [{ label: "Apples" }, { label: "Pears" }, { label: "Plums", description: "From July on" }] }, { question: "What shall it be called?", multi: false, options: [] }];
        const c = call("AskUserQuestion", { questions });
        if (!await say(s, "Two things to decide.", [c])) return;
        s.allow(c, "level"); s.started(c, "none");
        const choice = await ask(s, c, questions[0].question, { kind: "ask", questions, choices: ["answer", "no"] });
        if (!choice) return;
        s.result(c, "Answered.");
        await say(s, "Good.");
    },
    "PLAN IT": async (s) => {
        const plan = "## Plan\n\n1. Check what `calloc` returns\n2. Name the first capacity\n3. Add a test\n";
        const c = call("ExitPlanMode", { plan });
        if (!await say(s, "This is what I would do.", [c])) return;
        s.allow(c, "level"); s.started(c, "none");
        const choice = await ask(s, c, "Approve this plan?", { kind: "plan", plan, choices: ["approve", "approve_edits", "no"] });
        if (!choice) return;
        if (choice !== "no") { s.mode = choice === "approve" ? "default" : "accept-edits"; s.add("mode", { mode: s.mode, call: c.id, by: "tool" }); }
        s.result(c, choice === "no" ? "The user wants changes." : "Approved.", { error: choice === "no" });
        await say(s, choice === "no" ? "I will change it." : "I begin.");
    },
    "TRUST IT": async (s) => {
        const c = call("mcp__git__status", {}), words = (description) => ({ name: "status", description, inputSchema: { type: "object" } });
        if (!await say(s, "I will look.", [c])) return;
        const choice = await ask(s, c, "The tool `status` of the server git has changed since you approved it. Use it as it is now?", { kind: "trust", server: "git", choices: ["approve", "no"], approved: words("Shows what has changed."), now: words("Shows what has changed, and where.") });
        if (!choice) return;
        if (choice === "no") s.add("permission", { call: c.id, tool: c.tool, decision: "deny", reason: "the user did not approve the change.", by: "user" }); else { s.allow(c, "user"); s.started(c, "execute"); }
        s.result(c, choice === "no" ? "Not approved." : "Nothing has changed.", { error: choice === "no" });
        await say(s, "Done.");
    },
    "SHELL WORK": async (s) => {
        const todo = call("TodoWrite", { todos: [] }), c = call("bash", { command: "grep -rn apple src | sort | head -3" }), note = call("Brief", { message: "half" });
        const todos = (n) => ["Find the apples", "Sort them", "Write them down"].map((content, i) => ({ content, status: i < n ? "completed" : i === n ? "in_progress" : "pending", activeForm: ["Finding the apples", "Sorting them", "Writing them down"][i] }));
        if (!await say(s, "I keep a list.", [todo, c, note])) return;
        for (const x of [todo, c, note]) s.allow(x);
        s.started(todo, "none"); s.add("todo", { call: todo.id, todos: todos(1) }); s.result(todo, "Three tasks.");
        s.started(c, "execute"); await wait(200);
        s.result(c, "src/a.c:1:apple\nsrc/b.c:7:apple\n", { metadata: { stdout: "src/a.c:1:apple\nsrc/b.c:7:apple\n", stderr: "", exit_status: 0, cwd: "/src",
            stages: [{ command: "grep -rn apple src", status: 0, ms: 3.2 }, { command: "sort", status: 0, ms: 1.1 }, { command: "head -3", status: 141, ms: 0.6 }] } });
        s.started(note, "none"); s.add("note", { call: note.id, text: "**Half way**: the apples are found.", status: "normal", attachments: [{ path: "/apples.txt", size: 2048 }] }); s.result(note, "Shown.");
        await say(s, "Two apples.");
    },
    "FETCH A PAGE": async (s) => {
        const c = call("web_fetch", { url: "https://example.org/apples" }), d = call("web_fetch", { url: "https://blocked.example/" });
        if (!await say(s, "I will look it up.", [c, d])) return;
        for (const x of [c, d]) { s.allow(x); s.started(x, "execute"); }
        s.result(c, "# Apples\n\nAll about apples.", { metadata: { url: "https://example.org/apples", final_url: "https://example.org/apples/", status: 200, title: "All about apples", host: "example.org", bytes: 14322, cached: false } });
        s.result(d, "blocked.example:443 is not an allowed host. This line in settings.json allows it: \"allowed_outbound_hosts\": [\"https://blocked.example\"].", { limit: "network", error: true, denied: { limit: "network", host: "https://blocked.example", setting: "allowed_outbound_hosts", line: '{"limits": {"web_fetch": {"allowed_outbound_hosts": ["https://blocked.example"]}}}' } });
        await say(s, "Found.");
    },
    "FAIL NOW": async (s) => {
        s.delta("retry", { turn: 1, attempt: 1, wait_ms: 800, reason: "The model's server answered 503" });
        await wait(800);
        s.add("error", { where: "model", code: "unavailable", text: "The model's server at http://127.0.0.1:11434 does not answer.", hint: "Check that the model's server runs and can be reached, then send the message again." });
        return "error";
    },
};

export async function play(s, text, queued = undefined) {
    s.live = true;
    s.stopped = false;
    const [first, ...waiting] = queued ? [{ id: queued, text }] : [...s.queue.splice(0), { text }]; // what was left waiting goes out first
    s.begin(first.text, 50, first.id);
    for (const w of waiting) s.add("user", { text: w.text, ...(w.id ? { queued: w.id } : {}) });
    const name = Object.keys(plays).find((word) => text.includes(word));
    const reason = name ? await plays[name](s) : void await say(s, "I am a mock. I know: " + Object.keys(plays).join(", ") + ".");
    s.end(s.stopped ? "stopped" : reason ?? "done");
    const next = s.stopped ? undefined : s.queue.shift();
    if (next) await play(s, next.text, next.id);
}

export function stop(s) {
    s.stopped = true;
    s.waiting?.cancel();
}
