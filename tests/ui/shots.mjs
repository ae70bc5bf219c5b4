// shots.mjs OUT: the pictures of the README, from the real server with a scripted model (BOXAGNTS, SCRIPTED_ENDPOINT).
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { launch, visit } from "./browser.mjs";
import { start } from "./server.mjs";

const out = process.argv[2];
const files = {
    "README.md": "# Orchard\n\nA small library that keeps apples in order.\n",
    "src/main.c": "#include \"orchard.h\"\n\nint main(int argc, char **argv) {\n    struct orchard *o = orchard_new();\n    return o ? run(o, argc, argv) : 1;\n}\n",
    "src/orchard.c": "#include \"orchard.h\"\n\nstruct orchard *orchard_new(void) {\n    struct orchard *o = calloc(1, sizeof *o);\n    o->capacity = 16;\n    return o;\n}\n",
    "src/orchard.h": "struct orchard;\nstruct orchard *orchard_new(void);\n", "src/tree.c": "#include \"tree.h\"\n", "src/tree.h": "struct tree;\n",
    "tests/test_orchard.c": "#include \"orchard.h\"\n", "tests/test_tree.c": "#include \"tree.h\"\n",
};
const answer = `**Orchard** is a small C library with one program on top.

| File | What it does |
|---|---|
| \`src/orchard.c\` | owns the trees and answers queries |
| \`src/tree.c\` | one tree: insert, remove, walk |
| \`src/main.c\` | the command line; calls only what \`orchard.h\` declares |

One thing to mend: \`orchard_new\` does not check what \`calloc\` returns.`;
const script = [
    { text: "I will read the eight files at once.", calls: Object.keys(files).map((f) => ({ tool: "read", input: { file_path: `/${f}` } })) },
    { text: answer },
    { text: "One line needs a check before it.", calls: [{ tool: "edit", input: { file_path: "/src/orchard.c", old_string: "    o->capacity = 16;", new_string: "    if (!o)\n        return NULL;\n    o->capacity = 16;" } }] },
    { text: "`orchard_new` returns `NULL` now when memory runs out." },
];
const task = (name, input, calls, text) => ({ call: { tool: "Agent", input: { description: name, prompt: `${name}.`, ...input } }, when: { contains: `${name}.`, turns: [...calls.map((call) => ({ calls: [call] })), { text }] } });
const tasks = [
    task("Write a guide for users", { isolation: "worktree" }, [{ tool: "read", input: { file_path: "/README.md" } }, { tool: "write", input: { file_path: "/docs/guide.md", content: "# Guide\n\nHow to plant, pick and count.\n" } }], "The guide is in `docs/guide.md`."),
    task("Test the tree", { isolation: "worktree" }, [{ tool: "read", input: { file_path: "/tests/test_tree.c" } }, { tool: "write", input: { file_path: "/tests/test_tree.c", content: "#include \"tree.h\"\n\nint main(void) {\n    return tree_is_sorted(tree_new()) ? 0 : 1;\n}\n" } }], "One test of the tree's order is written."),
    task("Look for unchecked allocations", { agent: "explore" }, [{ tool: "grep", input: { pattern: "alloc\\(", path: "/src" } }], "One: `orchard_new` in `src/orchard.c`."),
];
const managed = [{ text: "Three tasks that do not need each other: one executor each.", calls: tasks.map((t) => t.call) },
    { text: "All three are back. The guide and the test wait on branches of their own; one allocation is unchecked, in `orchard_new`." }];
const scriptFile = join(tmpdir(), `boxagnts-shots-${process.pid}.json`);
writeFileSync(scriptFile, JSON.stringify({ turns: script, when: [{ contains: "Share the work", turns: managed }, ...tasks.map((t) => t.when)], window: 32768, tools: true }));
process.env.SCRIPT = scriptFile;

const server = await start(), browser = await launch();
try {
    for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(server.root, name)), { recursive: true });
        writeFileSync(join(server.root, name), text);
    }
    const git = (...args) => execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args], { cwd: server.root, stdio: "ignore" });
    git("init"), git("add", "."), git("commit", "-m", "Orchard");
    const { page } = await visit(browser);
    await page.goto(server.url);
    const say = async (text) => { await page.waitForSelector("textarea:not([readonly])"); await page.fill("textarea", text); await page.keyboard.press("Enter"); };
    await say("What is in this folder, and how do the files fit together?");
    await page.waitForSelector(".item.end");
    await page.locator(".log").evaluate((el) => { el.scrollTop = 0; });
    await page.mouse.move(125, 500);
    await page.waitForFunction(() => document.querySelector(".chip") === null);
    await page.screenshot({ path: join(out, "chat-light.png") });
    await say("Mend that, please.");
    await page.waitForSelector(".question[data-armed]");
    await page.locator(".question summary").click();
    await page.locator(".card-line").nth(2).click();
    await page.getByRole("button", { name: "Receipt" }).click();
    await page.locator(".card-line").nth(2).click();
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await page.locator(".log").evaluate((el) => { el.scrollTop = el.scrollHeight; });
    await page.locator(".question").focus();
    await page.screenshot({ path: join(out, "chat-dark.png") });
    await page.keyboard.press("1");
    await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 2);
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
    await page.evaluate(() => { location.hash = "#/tools/bash"; });
    const tool = page.locator(".tool-view");
    await tool.getByLabel("command needed").fill("grep -rn orchard src | sort | head -3");
    await tool.getByRole("button", { name: "Run" }).click();
    await page.waitForSelector(".try-result .stages");
    await page.screenshot({ path: join(out, "tools-light.png") });
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Mode", exact: true }).selectOption("accept-edits");
    await say("Share the work: a guide, a test of the tree, and a look at the allocations.");
    await page.waitForSelector(".item.end");
    const inspector = page.getByRole("button", { name: "Inspector", exact: true });
    if (await inspector.getAttribute("aria-pressed") !== "true") await inspector.click();
    await page.locator(".tree [data-state=done]").nth(2).waitFor();
    await page.getByRole("button", { name: /^Merge/ }).first().waitFor();
    await page.screenshot({ path: join(out, "agents-light.png") });
} finally {
    await browser.close();
    await server.stop();
}
