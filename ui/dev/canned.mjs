// Sessions that are there when the mock starts: one of each thing the page must show.
import { call, Session } from "./log.mjs";

const hour = 3600e3;
const readme = "# Orchard\n\nA small library that keeps apples in order.\n\n## Use\n\n```c\nstruct orchard *o = orchard_new();\n```\n";
const diff = `@@ -12,7 +12,9 @@
 struct orchard *orchard_new(void) {
     struct orchard *o = calloc(1, sizeof *o);
-    o->capacity = 16;
+    if (!o)
+        return NULL;
+    o->capacity = ORCHARD_FIRST_CAPACITY;
     return o;
 }
 
`;

function reads(at) {
    const s = new Session({ title: "What is in this folder", at });
    s.begin("What is in this folder? Read the most important files and tell me how they fit together.");
    const glob = call("glob", { pattern: "**/*.{c,h,md}" });
    s.assistant("I will look at what is there first.", [glob]);
    s.allow(glob); s.started(glob, "read_only");
    s.result(glob, "README.md\nsrc/main.c\nsrc/orchard.c\nsrc/orchard.h\nsrc/tree.c\nsrc/tree.h\ntests/test_orchard.c\ntests/test_tree.c\n8 files");
    const files = ["README.md", "src/main.c", "src/orchard.c", "src/orchard.h", "src/tree.c", "src/tree.h", "tests/test_orchard.c", "tests/test_tree.c"];
    const calls = files.map((f) => call("read", { file_path: `/${f}` }));
    s.assistant("Eight files, small enough to read at once.", calls);
    for (const c of calls) s.allow(c);
    for (const c of calls) s.started(c, "read_only");
    calls.forEach((c, i) => s.result(c, i === 0 ? readme : `// ${files[i]}\n#include "orchard.h"\n`, { ms: 2 + (i % 3), metadata: { path: `/${files[i]}`, bytes: 812, lines: 31 } }));
    s.assistant(`**Orchard** is a small C library with one program on top.

| File | What it does |
|---|---|
| \`src/orchard.c\` | owns the trees and answers queries |
| \`src/tree.c\` | one tree: insert, remove, walk |
| \`src/main.c\` | the command line |

\`main.c\` parses the command and calls only what \`orchard.h\` declares:

\`\`\`c
int main(int argc, char **argv) {
    struct orchard *o = orchard_new();
    return o ? run(o, argc, argv) : 1;
}
\`\`\`

Two things to know before you change it:

1. \`orchard_new\` does not check what \`calloc\` returns.
2. The tests cover \`tree.c\` well and \`orchard.c\` hardly.`);
    s.end();
    return s;
}

function edit(at) {
    const s = new Session({ title: "Check the allocation in orchard_new", at });
    s.begin("Check the allocation in orchard_new, please.");
    const c = call("edit", { file_path: "/src/orchard.c", old_string: "    o->capacity = 16;", new_string: "    if (!o)\n        return NULL;\n    o->capacity = ORCHARD_FIRST_CAPACITY;" });
    s.assistant("One line needs a check before it.", [c]);
    s.add("question", { question: "q-edit", kind: "permission", call: c.id, tool: "edit", level: "write", input: c.input, text: "Let `edit` change files in / until the end of this run.", choices: ["once", "session", "always", "no"] }, 50);
    s.add("answer", { question: "q-edit", choice: "once", text: "", from: "page" }, 4000);
    s.allow(c, "user", "you allowed it once");
    s.started(c, "write");
    s.result(c, "Changed 1 place in /src/orchard.c (line 14).", { ms: 4, metadata: { path: "/src/orchard.c", created: false, replacements: 1, line: 14, diff } });
    s.assistant("`orchard_new` returns `NULL` now when memory runs out, and the first capacity has a name.");
    s.end();
    return s;
}

function limited(at) {
    const s = new Session({ title: "Search everything for a pattern", at });
    s.begin("Search the whole tree for lines that repeat a word.");
    const a = call("grep", { pattern: "(\\w+)\\s+\\1", path: "/" });
    s.assistant("", [a], { reasoning: "A backreference over the whole tree may take long, but there is a limit, so it is safe to try." });
    s.allow(a); s.started(a, "read_only", { time: 5000 });
    s.result(a, "Stopped after 5 s (time limit). Raise it for `grep` in Tools → grep → Limits, or search in a smaller folder.", { ms: 5003, limit: "time", used: { wall_us: 5_003_000, cpu_us: 4_980_000, peak_memory: 48 * 1024 * 1024 } });
    const b = call("read", { file_path: "/../etc/shadow" }), d = call("write", { file_path: "/notes.md", content: "x" }), f = call("read", { file_path: "/src/gone.c" });
    s.assistant("That was too much at once. I will try smaller steps.", [b, d, f]);
    s.add("permission", { call: b.id, tool: "read", decision: "deny", reason: "the path leads out of the root", by: "rule" });
    s.result(b, "Not allowed: the path leads out of the root.", { error: true, ms: 0 });
    s.add("question", { question: "q-w", kind: "permission", call: d.id, tool: "write", level: "write", input: d.input, text: "Let `write` create or replace /notes.md.", choices: ["once", "session", "always", "no"] }, 50);
    s.add("answer", { question: "q-w", choice: "no", text: "Tell me here, write no files.", from: "page" }, 3000);
    s.add("permission", { call: d.id, tool: "write", decision: "deny", reason: "the user said no: Tell me here, write no files.", by: "user" });
    s.result(d, "the user said no: Tell me here, write no files.", { error: true, ms: 0 });
    s.allow(f); s.started(f, "read_only");
    s.result(f, "There is no file /src/gone.c. Nearest: /src/tree.c", { error: true, ms: 1 });
    s.assistant("No line repeats a word in `src/`. I did not search `third_party/`.");
    s.end();
    return s;
}

function broken(at) {
    const s = new Session({ title: "Ask a model whose key is missing", at });
    s.begin("Hello");
    s.add("error", { where: "model", code: "auth", text: "The provider openrouter refused the key (401).", hint: "Put the provider's key into its environment variable or into the settings, then send the message again." }, 400);
    s.end("error");
    s.begin("And now?");
    s.assistant("Half of an answer was here when", [], { finish: "stopped" });
    s.end("stopped");
    s.begin("Go on until you find it.", 3);
    s.assistant("Looking again.");
    s.add("limit", { limit: "max_turns", text: "Stopped after 3 turns (max_turns). Send a message to go on, or raise max_turns in the settings." });
    s.end("max_turns");
    return s;
}

export const attacks = [
    "<script>window.pwned=1</script>", "<img src=x onerror=\"window.pwned=1\">", "[click](javascript:window.pwned=1)", "<svg onload=window.pwned=1>",
    "<iframe srcdoc=\"<script>parent.pwned=1</script>\"></iframe>", "![picture](http://127.0.0.1:9/x.png)", "<a href=\"javascript:alert(1)\">a</a>",
    "[data](data:text/html,<script>parent.pwned=1</script>)", "<style>body{display:none}</style>", "<form action=http://127.0.0.1:9><button>b</button></form>",
];

function hostile(at) {
    const s = new Session({ title: "<img src=x onerror=window.pwned=1>", at });
    s.begin("<b>bold?</b> <script>window.pwned=1</script>");
    const c = call("read", { file_path: "/<img src=x onerror=window.pwned=1>.txt" });
    s.assistant(attacks.join("\n\n"), [c]);
    s.allow(c); s.started(c, "read_only");
    s.result(c, attacks.join("\n"));
    s.assistant("Done.");
    s.end();
    return s;
}

function long(at) {
    const s = new Session({ title: "A very long session", at });
    for (let i = 1; i <= 670; i++) {
        s.begin(`Question ${i}: what does file ${i} say?`);
        const c = call("read", { file_path: `/data/file-${i}.txt` });
        s.assistant(`I read file ${i}.`, [c]);
        s.allow(c); s.started(c, "read_only"); s.result(c, `line one of ${i}\nline two of ${i}\n`);
        s.assistant(`File ${i} says **line one of ${i}** and then more.\n\n- first\n- second\n\n\`\`\`\nline two of ${i}\n\`\`\``);
        s.end();
    }
    return s;
}

export function cannedSessions(many = 0) {
    const now = Date.now();
    const list = [long(now - 90 * hour), hostile(now - 50 * hour), broken(now - 30 * hour), limited(now - 5 * hour), edit(now - 2 * hour), reads(now - 0.2 * hour)];
    list[2].damaged = true;
    for (let i = 0; i < many; i++) list.unshift(new Session({ title: `Session ${many - i} of many`, at: now - (100 + i) * hour }));
    return list;
}
