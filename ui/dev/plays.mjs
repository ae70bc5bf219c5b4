// What the mock's model does with a message: the first play whose word is in it. Each is an async function of the session.
import { attacks } from "./canned.mjs";
import { call, newId } from "./log.mjs";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Streams a reply in pieces; ends early when the run was stopped. */
async function say(s, text, calls = [], { pause = 8, size = 12, more = {} } = {}) {
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

function ask(s, c, text) {
    const question = newId();
    s.add("question", { question, kind: "permission", call: c.id, tool: c.tool, level: "write", input: c.input, text, choices: ["once", "session", "always", "no"] });
    s.delta("state", { phase: "waiting", text: "waiting for an answer" });
    return new Promise((done) => {
        s.waiting = { question, answer: (choice, note, from) => { s.waiting = null; s.add("answer", { question, choice, text: note, from }); done(choice); }, cancel: () => { s.waiting = null; done(null); } };
    });
}

const essay = (n) => Array.from({ length: n }, (_, i) => `## Part ${i + 1}\n\nThe **orchard** keeps its trees in one array, and \`tree_walk\` visits them in order. `
    + `What follows is a list:\n\n- apples are sorted\n- pears are not\n\n\`\`\`c\nfor (size_t i = 0; i < o->count; i++)\n    tree_walk(o->trees[i]);\n\`\`\`\n\n`).join("");

const plays = {
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
    "FAIL NOW": async (s) => {
        s.delta("retry", { turn: 1, attempt: 1, wait_ms: 800, reason: "The model's server answered 503" });
        await wait(800);
        s.add("error", { where: "model", code: "unavailable", text: "The model's server at http://127.0.0.1:11434 does not answer.", hint: "Check that the model's server runs and can be reached, then send the message again." });
        return "error";
    },
};

export async function play(s, text) {
    s.live = true;
    s.stopped = false;
    s.begin(text);
    const name = Object.keys(plays).find((word) => text.includes(word));
    const reason = name ? await plays[name](s) : void await say(s, "I am a mock. I know: " + Object.keys(plays).join(", ") + ".");
    s.end(s.stopped ? "stopped" : reason ?? "done");
}

export function stop(s) {
    s.stopped = true;
    s.waiting?.cancel();
}
