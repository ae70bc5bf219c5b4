// Permissions, context, executors, skills, agents, memory: the pages beside the conversation and what the inspector shows of a session.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { faultless } from "./axe.mjs";
import { launch, visit } from "./browser.mjs";
import { becomes, counts, focusIs, holds, matches, says } from "./expect.mjs";
import { real, start } from "./server.mjs";

const onMock = { skip: real && "needs what only the mock has" };
let server, browser, page, faults;

before(async () => {
    [server, browser] = await Promise.all([start(), launch()]);
    ({ page, faults } = await visit(browser));
    page.origin = new URL(server.url).origin;
    await page.goto(server.url);
    await page.waitForSelector("textarea");
    await page.emulateMedia({ reducedMotion: "reduce" });
});
after(async () => {
    await browser?.close();
    await server?.stop();
});
beforeEach(async () => {
    faults.length = 0;
    await page.setViewportSize({ width: 1440, height: 900 });
    await go("");
    await page.waitForSelector(".first-run");
});
afterEach(async () => {
    assert.deepEqual(faults, []);
    assert.deepEqual(await page.evaluate(() => window.reports), [], "reports of the content policy");
    assert.equal(await page.evaluate(() => window.pwned), undefined);
});

const go = (hash) => page.evaluate((h) => { location.hash = h; }, hash);
const detail = () => page.locator(".tool-detail");
/** What somebody else writes, or deletes (null). */
const put = (path, text) => page.evaluate(([p, t]) => fetch(`/api/v1${p}`, { method: t === null ? "DELETE" : "PUT", body: t === null ? undefined : JSON.stringify({ text: t }), headers: { "Content-Type": "application/json" } }), [path, text]);
const section = (name) => page.locator(`section[aria-label="${name}"]`);

/** A session with a reply in it, open. */
async function talk(text = "MARK DOWN please") {
    await page.fill("textarea", text);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash.startsWith("#/s/"));
    await page.waitForSelector(".item.end");
}

/** No fault that axe knows in either theme, and at phone width nothing sticks out. */
async function clean(what) {
    await faultless(page, what, { within: ["main", "aside.panel"], dark: { runOnly: ["color-contrast"] }, reducedMotion: "reduce" });
    await page.setViewportSize({ width: 390, height: 844 });
    const wide = await page.evaluate(() => [...document.querySelectorAll(".tool-detail *, .tool-list *, .panel *, .popover *")]
        .filter((el) => el.getBoundingClientRect().right > innerWidth + 1 && !el.closest(".wide-table, pre, .sr-only, .markdown table")).map((el) => el.outerHTML.slice(0, 120)));
    assert.deepEqual(wide, [], `${what}, 390 px`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what}, 390 px`);
    await page.setViewportSize({ width: 1440, height: 900 });
}

test("permissions: a rule is added, seen and removed; what would happen is said part by part", async () => {
    await go("#/permissions");
    const form = section("Add a rule"), rules = section("Rules");
    await rules.getByText("the mode alone decides").waitFor();
    await holds(() => form.getByRole("button", { name: "Add the rule" }).isDisabled());
    await form.getByLabel("Tool").fill("bash");
    await page.waitForFunction(() => document.querySelector("#tool-patterns option[value=bash]"));
    await form.getByLabel("About").selectOption("command");
    await form.getByLabel("Which command").fill("rm *");
    await form.getByLabel("How long").selectOption("3600");
    await becomes(() => form.getByRole("status").innerText(), "Deny bash, command rm *, in this workspace, for 1 hour.");
    await form.getByRole("button", { name: "Add the rule" }).click();
    const row = rules.locator("li");
    await row.waitFor();
    await says(row, /Deny\s+bash\s+rm \*\s+until [\s\S]*Remove/);
    const trial = section("What would happen");
    await trial.getByLabel("Command").fill("ls && rm -r build");
    await trial.getByLabel("Command").press("Enter");
    const outcome = trial.locator(".trial");
    await outcome.waitFor();
    await becomes(() => outcome.getAttribute("data-decision"), "deny");
    await says(outcome.locator("li").nth(1), /Deny\s+rm -r build/);
    await says(outcome, /Rule: deny bash rm \*/);
    await clean("permissions");
    await row.getByRole("button", { name: /Remove the rule deny bash/ }).click();
    await rules.getByText("the mode alone decides").waitFor();
});

test("permissions: the mode is changed where it is explained", async () => {
    await talk();
    await go("#/permissions");
    await section("Mode").getByLabel("Plan").check();
    const trial = section("What would happen");
    await trial.getByLabel("Tool").fill("write");
    await trial.getByLabel("Path").fill("/notes.md");
    await trial.getByLabel("Mode").selectOption("plan");
    await trial.getByRole("button", { name: "What would happen?" }).click();
    await trial.locator('.trial[data-decision="deny"]').waitFor();
    await page.locator(".to-chat").click();
    await page.waitForFunction(() => [...document.querySelectorAll(".status select")].some((s) => s.value === "plan"));
});

test("skills: each state is told, a text of a stranger's stays text and is trusted only after it was shown", onMock, async () => {
    await go("#/skills");
    const list = page.locator("nav[aria-label='List of skills']");
    await list.locator(".tool-row", { hasText: "odd" }).waitFor();
    await says(list, /half\s+broken[\s\S]*odd\s+not trusted yet[\s\S]*review\s+hidden by a nearer one/);
    await go("#/skills/%"); // an address that somebody mistyped
    await page.getByText("There is no skill % now").waitFor();
    await list.locator(".tool-row", { hasText: "hidden by" }).click();
    await page.locator(".tool-view h2", { hasText: "hidden" }).waitFor();
    await list.locator(".tool-row", { hasText: "half" }).click();
    await page.getByRole("alert").filter({ hasText: "has no description" }).waitFor();
    await list.locator(".tool-row", { hasText: "odd" }).click();
    await page.locator(".document .markdown").filter({ hasText: "<script>window.pwned=1</script>" }).waitFor();
    assert.equal(await page.locator(".document img, .document iframe, .document script, .document form").count(), 0);
    await clean("a skill that is not trusted");
    await section("Trust").getByRole("button").click();
    await page.locator(".tool-view h2", { hasText: "ready" }).waitFor();
});

test("skills: made, checked while it is typed, filled in, changed elsewhere, deleted", onMock, async () => {
    await go("#/skills/review");
    const fill = section("How it fills in");
    await fill.getByRole("button", { name: "Show" }).click();
    await fill.getByText("The parameter path is needed").waitFor();
    faults.length = 0; // the browser's own line about the 400
    await fill.getByLabel("Arguments of review").fill("/src depth=full");
    await fill.getByRole("button", { name: "Show" }).click();
    await fill.locator("pre", { hasText: "Read what changed in /src (**full**)" }).waitFor();
    await clean("a skill");
    await page.getByRole("link", { name: "New skill…" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("Bad Name");
    await holds(() => page.getByRole("button", { name: "Create it" }).isDisabled());
    await page.getByRole("textbox", { name: "Name" }).fill("prune-trees");
    await page.getByRole("button", { name: "Create it" }).click();
    await page.locator(".tool-view h2", { hasText: "prune-trees" }).waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    const editor = page.getByLabel("Text of prune-trees");
    await editor.fill("no front matter");
    await page.locator(".check", { hasText: "between two lines of ---" }).waitFor();
    await editor.fill("---\nname: prune-trees\ndescription: Cuts them\n---\nCut them.\n");
    await page.locator(".check", { hasText: "It can be loaded" }).waitFor();
    await editor.press("Control+s");
    await page.locator("nav .tool-row", { hasText: "Cuts them" }).waitFor();
    await clean("the editor of a skill");
    await page.getByRole("button", { name: "Close the editor" }).click();
    await page.evaluate(() => fetch("/api/v1/skills/prune-trees", { method: "PUT", body: JSON.stringify({ text: "---\nname: prune-trees\ndescription: Changed on the disk\n---\nElsewhere.\n" }), headers: { "Content-Type": "application/json" } }));
    await page.locator("nav .tool-row", { hasText: "Changed on the disk" }).waitFor();
    await page.locator(".document", { hasText: "Elsewhere." }).waitFor();
    await detail().getByRole("button", { name: "Delete", exact: true }).click();
    await page.keyboard.press("Escape"); // asked once more: Esc says no
    await detail().getByRole("button", { name: "Delete", exact: true }).click();
    await page.keyboard.press("Enter");
    await page.locator("nav .tool-row", { hasText: "prune-trees" }).waitFor({ state: "detached" });
});

test("agents: built in and own ones, a broken one with its reason; one is made from a built-in one and deleted", onMock, async () => {
    await go("#/agents/gardener");
    await page.getByRole("alert").filter({ hasText: "prune, which is no tool" }).waitFor();
    await page.locator(".document", { hasText: "one file at a time" }).waitFor();
    await clean("an agent");
    await page.getByRole("link", { name: "Branches" }).click();
    await section("Branches").locator(".worktree", { hasText: "boxagnts/walk-19c2" }).waitFor();
    await clean("branches");
    await go("#/agents/build");
    await page.getByRole("button", { name: "Edit a copy in this workspace" }).click();
    await page.getByLabel("Text of build").fill("---\ntools: [read]\n---\nx\n");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".foot", { hasText: "has no description" }).waitFor();
    faults.length = 0; // the browser's own line about the 400
    await page.getByLabel("Text of build").fill("---\ndescription: Builds slowly\n---\nx\n");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("nav .tool-row", { hasText: "Builds slowly" }).waitFor();
    await page.getByRole("button", { name: "Close the editor" }).click();
    await detail().getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.locator("nav .tool-row", { hasText: "Builds slowly" }).waitFor({ state: "detached" });
});

test("memory and packs are read, changed and kept", onMock, async () => {
    await go("#/memory");
    const memory = page.getByRole("textbox", { name: "Memory" });
    await memory.waitFor();
    await matches(() => memory.inputValue(), /short answers/);
    await memory.fill(`${"x".repeat(17000)}`);
    await page.getByText("17000 of 16384 bytes: shorten it").waitFor();
    await holds(() => page.getByRole("button", { name: "Save" }).isDisabled());
    await memory.fill("- Call me Ada.\n");
    await memory.press("Control+s");
    await page.getByText("15 of 16384 bytes").waitFor();
    await go("#/skills");
    await go("#/memory");
    await page.waitForFunction(() => document.querySelector("textarea")?.value === "- Call me Ada.\n");
    await clean("the memory");
    await page.getByRole("link", { name: "New pack…" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("grafting");
    await page.getByLabel("Text of item 1").fill("Graft in spring.");
    await page.getByRole("button", { name: "Add a file" }).click();
    await holds(() => page.getByRole("button", { name: "Create it" }).isDisabled(), "an item is empty");
    await page.getByLabel("Path of item 2").fill("/docs/graft.md");
    await page.getByRole("button", { name: "Create it" }).click();
    await page.locator("nav .tool-row", { hasText: "grafting" }).waitFor();
    await page.getByLabel("What it is for").fill("For the spring");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("nav .tool-row", { hasText: "For the spring" }).waitFor();
    await clean("a pack");
    await detail().getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("button", { name: "Delete it" }).click();
    await page.locator("nav .tool-row", { hasText: "grafting" }).waitFor({ state: "detached" });
});

test("what is written and not saved is there again after Ctrl+K and after a reload, and nothing of it is left when it is saved", onMock, async () => {
    const text = "---\nname: kept\ndescription: Keeps\n---\n", half = `${text}Half a sen`;
    const drafts = () => page.evaluate(() => Object.keys(sessionStorage).filter((k) => k.startsWith("edit:")));
    const away = async (hash) => {
        await page.keyboard.press("Control+k");
        await page.waitForSelector(".first-run");
        await go(hash);
    };
    for (const [hash, label, path] of [["#/memory", "Memory"], ["#/skills/kept", "Text of kept", "/skills/kept"], ["#/agents/kept", "Text of kept", "/agents/kept"]]) {
        if (path) await put(path, text);
        await go(hash);
        if (path) await page.getByRole("button", { name: "Edit", exact: true }).click();
        const field = page.getByRole("textbox", { name: label });
        await field.fill(half);
        await away(hash);
        await becomes(() => field.inputValue(), half, `${hash}, Ctrl+K`);
        await page.reload();
        await becomes(() => field.inputValue(), half, `${hash}, a reload`);
        await page.getByText("not saved").or(page.getByRole("button", { name: "Take the changes back" })).first().waitFor();
        await field.press("Control+s");
        await becomes(drafts, [], `${hash}, saved`);
        await field.fill(`${half}tence`);
        await page.getByRole("button", { name: "Take the changes back" }).click();
        await becomes(() => field.inputValue(), half);
        await becomes(drafts, [], `${hash}, taken back`);
        if (path) await put(path, null);
    }
    await go("#/skills/");
    await page.getByRole("textbox", { name: "Name" }).fill("newer");
    await page.locator("#new-text").fill(half);
    await away("#/skills/");
    await becomes(() => page.locator("#new-text").inputValue(), half);
    await becomes(() => page.getByRole("textbox", { name: "Name" }).inputValue(), "newer");
    await page.getByRole("button", { name: "Take it back" }).click();
    await go("#/memory/pack:house-rules");
    await page.getByLabel("Text of item 1").fill("Tabs are ei");
    await away("#/memory/pack:house-rules");
    await becomes(() => page.getByLabel("Text of item 1").inputValue(), "Tabs are ei");
    await page.reload();
    await becomes(() => page.getByLabel("Text of item 1").inputValue(), "Tabs are ei");
    await page.getByRole("button", { name: "Take the changes back" }).click();
    await becomes(() => page.getByLabel("Text of item 1").inputValue(), "Tabs are four spaces.");
    await becomes(drafts, []);
});

test("what was remembered while the memory was edited is shown, not overwritten", async () => {
    const now = () => page.evaluate(() => fetch("/api/v1/memory").then((r) => r.json()).then((m) => m.text));
    await put("/memory", "- One.\n");
    await go("#/memory");
    const memory = page.getByRole("textbox", { name: "Memory" }), other = section("As it is now");
    await memory.fill("- The first.\n");
    await put("/memory", "- One.\n- Two.\n");
    await memory.press("Control+s");
    await says(other, /Memory has changed meanwhile[\s\S]*- One\.\s+- Two\./);
    faults.length = 0; // the browser's own line about the 409
    await becomes(() => memory.inputValue(), "- The first.\n");
    await becomes(now, "- One.\n- Two.\n");
    await clean("a memory that has changed meanwhile");
    await page.reload(); // what is shown beside a draft is what was there when the page was read
    await says(other, /- Two\./);
    await memory.fill("- The first.\n- Two.\n");
    await memory.press("Control+s");
    await counts(other, 0);
    await becomes(now, "- The first.\n- Two.\n");
    await memory.fill("- Mine.\n");
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".first-run");
    await put("/memory", "- Three.\n"); // while the editor was left
    await go("#/memory");
    await says(other, /- Three\./);
    await page.getByRole("button", { name: "Take the changes back" }).click();
    await counts(other, 0);
    await becomes(() => memory.inputValue(), "- Three.\n");
});

test("an editor stays when its file vanishes under it; a text that was changed meanwhile is shown beside", async () => {
    const text = "---\nname: fleeting\ndescription: Comes and goes\n---\nBegin.\n";
    for (const kind of ["skills", "agents"]) {
        const path = `/${kind}/fleeting`, row = page.locator("nav .tool-row", { hasText: "fleeting" });
        await put(path, text);
        await go(`#/${kind}/fleeting`);
        await page.getByRole("button", { name: "Edit", exact: true }).click();
        const field = page.getByLabel("Text of fleeting");
        await field.fill(`${text}One`);
        await put(path, null);
        await row.filter({ hasText: "removed, your text is kept" }).waitFor();
        await page.keyboard.type(" two");
        await becomes(() => field.inputValue(), `${text}One two`, kind);
        await clean(`${kind}: the editor of what is gone`);
        await put(path, `${text}Elsewhere.`);
        await says(section("As it is now"), /has changed meanwhile[\s\S]*Elsewhere\./);
        await field.press("End");
        await page.keyboard.type(" three");
        await clean(`${kind}: both texts`);
        await put(path, null);
        await counts(section("As it is now"), 0);
        await row.filter({ hasText: "removed, your text is kept" }).waitFor();
        await page.reload();
        await becomes(() => field.inputValue(), `${text}One two three`, kind);
        await field.press("Control+s"); // it is made again
        await row.filter({ hasText: "Comes and goes" }).waitFor();
        await counts(section("As it is now"), 0);
        await field.fill("x");
        await put(path, null);
        await row.filter({ hasText: "removed, your text is kept" }).waitFor();
        await page.getByRole("button", { name: "Take the changes back" }).click();
        await detail().getByText(/There is no (skill|agent) fleeting now/).waitFor();
    }
    faults.length = 0; // the browser's own line about a 404, when a text was asked for just as it was removed
});

const openSession = async (title) => {
    await page.locator(".session a", { hasText: title }).first().click();
    await page.waitForSelector(".item");
};
const inspector = () => page.locator("aside[aria-label=Inspector]");
async function openInspector() {
    if (await inspector().count() === 0) await page.getByRole("button", { name: "Inspector" }).click();
    await inspector().waitFor();
}

test("context: the meter opens and says what fills the window, by keyboard alone", async () => {
    await talk("EIGHT FILES now");
    const meter = page.getByRole("button", { name: /^Context \d+ percent full/ });
    await meter.focus();
    await page.keyboard.press("Enter");
    const popover = page.getByRole("dialog", { name: "Context" });
    await popover.locator(".context-bar").waitFor();
    await matches(() => popover.locator(".context-bar").getAttribute("aria-label"), /of 33 k tokens: .*Instructions.*Tools/);
    await says(popover, /Counted by the provider[\s\S]*Our estimate[\s\S]*Compacted at[\s\S]*From cache[\s\S]*Instructions[\s\S]*Tools[\s\S]*Conversation[\s\S]*Results of tools/);
    await clean("the context meter");
    await page.keyboard.press("Escape");
    await popover.waitFor({ state: "detached" });
    await focusIs(meter, "the focus is back on the meter");
});

test("context: facts are pinned and dropped, packs attached and detached, and a compaction says what it left out", onMock, async () => {
    await openSession("Search everything");
    await openInspector();
    const facts = section("Pinned facts"), packs = section("Packs"), context = section("Context");
    await facts.getByLabel("A fact to pin").fill("Never touch third_party.");
    await facts.getByRole("button", { name: "Pin" }).click();
    await facts.locator("li", { hasText: "Never touch" }).waitFor();
    await facts.getByRole("button", { name: "Drop The branch is called orchard-2." }).click();
    await facts.locator("li", { hasText: "The branch" }).waitFor({ state: "detached" });
    await packs.getByLabel("A pack to attach").selectOption("old-plan");
    await packs.getByRole("button", { name: "Attach" }).click();
    await packs.getByText("/docs/gone.md is not there any more.").waitFor();
    await packs.getByRole("button", { name: "Detach old-plan" }).click();
    await packs.locator("li", { hasText: "old-plan" }).waitFor({ state: "detached" });
    await context.locator("summary", { hasText: "Tools" }).first().click();
    await context.locator(".part-items", { hasText: "bash" }).waitFor();
    await clean("the context in the inspector");
    await context.getByRole("button", { name: "Compact now…" }).click();
    await page.keyboard.type("the allocation");
    await page.keyboard.press("Enter");
    await context.locator("summary", { hasText: "Last compaction" }).click();
    await context.getByText("3 turns and 8 results are in the log only; files: /src/orchard.c").waitFor();
    await context.locator(".compact-summary", { hasText: "the allocation" }).waitFor();
    await context.locator(".part-line, summary", { hasText: "Summary" }).first().waitFor();
});

test("context: what broke the cache, and a provider that cut the request, are said", onMock, async () => {
    await openSession("A very long session");
    await openInspector();
    await section("Context").getByText("the tool mcp__git__status was added").waitFor();
    await openSession("Ask a model whose key");
    await section("Context").getByRole("alert").filter({ hasText: "cut something off" }).waitFor();
});

test("executors: the tree, a message, stop, and what becomes of a branch", onMock, async () => {
    await openSession("four hands");
    await openInspector();
    const tree = section("Executors");
    await tree.getByText("3 of 7 executors at work").waitFor();
    await section("Usage").getByText("90 k tokens, $0.050").waitFor();
    await counts(tree.locator(".tree .tree li"), 1, "an executor of an executor stands below it");
    await says(tree, /waiting for you[\s\S]*limit: tokens[\s\S]*queued/);
    await clean("executors");
    const ready = await tree.getByRole("button", { name: "Message Check what calloc returns in src/orchard.c" }).evaluate(async (button) => {
        button.click();
        await null; // the page draws in a task like this one; a frame later is too late for who types at once
        return document.activeElement.matches(".instead input");
    });
    assert.ok(ready, "what is typed right after the click is the message");
    await page.keyboard.type("and main.c");
    await page.keyboard.press("Enter");
    await tree.getByText("8 of 20 turns").waitFor();
    await tree.getByRole("button", { name: "Message Give the tests of orchard.c names that say what they test" }).click();
    await page.keyboard.type("hurry");
    await page.keyboard.press("Enter");
    await matches(() => page.locator(".status .waiting").getAttribute("title"), /Give the tests/); // said in the manager's session
    await tree.getByRole("button", { name: "Stop Look at the other library" }).click();
    await tree.getByText("2 of 7 executors at work").waitFor();
    await tree.getByRole("button", { name: "Changes of boxagnts/walk-19c2" }).click();
    await tree.locator("pre.diff .add", { hasText: "tree_walk" }).waitFor();
    await tree.getByRole("button", { name: "Merge boxagnts/manual-88aa" }).click();
    await tree.getByRole("alert").filter({ hasText: /nothing was merged[\s\S]*docs\/manual\.md[\s\S]*README\.md/ }).waitFor();
    await clean("a conflict");
    await tree.getByRole("button", { name: "Merge boxagnts/walk-19c2" }).click();
    await tree.locator(".worktree[data-state=merged]").waitFor();
    await tree.locator(".worktree[data-state=conflict]").getByRole("button", { name: "Discard" }).click();
    await tree.getByRole("group", { name: "Discard 1 changed file?" }).getByRole("button", { name: "Discard" }).click();
    await tree.locator(".worktree[data-state=discarded]").waitFor();
    await tree.getByRole("button", { name: "Stop all" }).click();
    await tree.getByText(/^7 executors/).waitFor();
    await page.locator(".status .waiting").waitFor({ state: "detached" });
    await tree.getByRole("button", { name: "Keep boxagnts/orchard-7f3a" }).click();
    await tree.locator(".worktree[data-state=kept]").waitFor();
    await tree.getByRole("link", { name: "Open Rename the walk" }).click();
    await page.locator(".to-manager", { hasText: "Mend the orchard" }).click();
    await tree.getByText(/^7 executors/).waitFor();
});

test("a session's budget and usage; how long sessions are kept", onMock, async () => {
    await openSession("Search everything");
    await openInspector();
    const budget = section("Budget"), usage = section("Usage");
    await budget.getByRole("button", { name: "Set a budget…" }).click();
    await page.waitForFunction(() => document.activeElement?.closest(".budget"));
    await budget.getByLabel("Turns").fill("20");
    await budget.getByLabel("Tokens").fill("4000");
    await page.keyboard.press("Enter");
    await budget.locator(".fired", { hasText: "Tokens" }).waitFor();
    await says(budget, /Turns\s+3 \/ 20/);
    await says(usage, /Cost\s+\$0\.0063[\s\S]*Turns, calls\s+3, 4/);
    for (const name of ["By model", "By tool", "By run"]) await usage.locator("summary", { hasText: name }).click();
    await says(usage, /scripted\/m[\s\S]*read\s+2\s+2[\s\S]*done\s+3 turns/);
    await clean("usage");
    await page.getByRole("button", { name: "Settings" }).click();
    const keep = section("How long sessions are kept");
    await keep.getByLabel("To the archive after").fill("x");
    await keep.getByRole("alert").waitFor();
    await keep.getByLabel("To the archive after").fill("1");
    await keep.getByLabel("To the archive after").press("Enter");
    await keep.locator("summary", { hasText: /\d+ sessions would go to the archive/ }).click();
    await keep.getByRole("link", { name: "A very long session" }).waitFor();
    await clean("retention");
    await page.getByRole("button", { name: "Close", exact: true }).click();
});
