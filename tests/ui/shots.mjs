// shots.mjs OUT: the pictures of the README, from the real server with a scripted model (BOXAGNTS, SCRIPTED_ENDPOINT).
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
const scriptFile = join(tmpdir(), `boxagnts-shots-${process.pid}.json`);
writeFileSync(scriptFile, JSON.stringify({ turns: script, window: 32768, tools: true }));
process.env.SCRIPT = scriptFile;

const server = await start(), browser = await launch();
try {
    for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(server.root, name)), { recursive: true });
        writeFileSync(join(server.root, name), text);
    }
    const { page } = await visit(browser);
    await page.goto(server.url);
    const say = async (text) => { await page.waitForSelector("textarea:not([readonly])"); await page.fill("textarea", text); await page.keyboard.press("Enter"); };
    await say("What is in this folder, and how do the files fit together?");
    await page.waitForSelector(".item.end");
    await page.locator(".log").evaluate((el) => { el.scrollTop = 0; });
    await page.mouse.move(800, 300);
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
} finally {
    await browser.close();
    await server.stop();
}
