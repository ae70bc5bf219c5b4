// The same pages on the real server with a scripted model: what a mock cannot prove, that both sides speak of the same things.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { counts, holds, matches, says } from "./expect.mjs";
import { onReal } from "./real.mjs";

onReal("on the real server", { script: "runtime_script.json" }, (check) => {
    check("executors of a run are a tree; each is opened from there", async ({ page, section, say, openInspector }) => {
        await say("DELEGATE IT please");
        await page.waitForSelector(".item.end");
        await openInspector();
        const tree = section("Executors");
        await tree.getByText(/^2 executors/).waitFor();
        const node = (name) => tree.locator(".tree > li", { hasText: name });
        await says(node("Read the first file"), /done\s+e\d · explore\s+Read the first file\s+2 of \d+ turns · [\d.]+ k? ?tokens/);
        await says(node("Read the second file"), /done\s+e\d · explore\s+Read the second file\s+2 of 5 turns/);
        await tree.getByRole("link", { name: "Open Read the second file" }).click();
        await page.locator(".item", { hasText: "It has one line, too." }).waitFor();
        await page.locator(".to-manager").click();
        await tree.getByRole("button", { name: "Message Read the first file" }).click();
        await page.keyboard.type("READ THE FIRST again");
        await page.keyboard.press("Enter");
        await tree.locator(".instead").waitFor({ state: "detached" });
        await tree.getByRole("link", { name: "Open Read the first file" }).click();
        await page.locator(".item.user", { hasText: "READ THE FIRST again" }).waitFor();
    });

    check("an executor's question is answered where its manager is, also on a page that was opened later", async ({ server, page, section, say, openInspector }) => {
        await say("LET ONE WRITE, please");
        const sign = page.locator(".status .waiting", { hasText: "waits for you" }), question = page.locator(".asking .question");
        await question.waitFor();
        await openInspector();
        await section("Executors").getByText("waiting for you").waitFor();
        await page.reload();
        await sign.click();
        await page.waitForFunction(() => document.activeElement?.matches(".asking .question[data-armed]"));
        await says(page.locator(".asking"), /build\s+Write what was asked\s+Open[\s\S]*write[\s\S]*asked\.md/);
        assert.ok(!existsSync(join(server.root, "asked.md")));
        await page.keyboard.press("1");
        await page.locator(".item", { hasText: "It is written." }).waitFor();
        await counts(page.locator(".status .waiting, .asking"), 0);
        assert.equal(readFileSync(join(server.root, "asked.md"), "utf8"), "asked\n");
    });

    check("a budget is set, ends the run by its name, and the usage says what was used", async ({ page, section, say, openInspector }) => {
        await say("LOOK AROUND now");
        await page.waitForSelector(".item.end");
        await openInspector();
        const usage = section("Usage"), budget = section("Budget");
        await usage.locator("summary", { hasText: "By tool" }).click();
        await usage.locator("dd", { hasText: /^2, 2$/ }).waitFor();
        await says(usage.locator("tr", { hasText: "read" }), /read\s+1\s+–/);
        await budget.getByRole("button", { name: "Set a budget…" }).click();
        await page.waitForFunction(() => document.activeElement?.closest(".budget"));
        await budget.getByLabel("Turns").fill("1");
        await budget.getByLabel("Time").fill("2");
        await page.keyboard.press("Enter");
        await budget.locator(".limit-value").first().waitFor();
        await says(budget, /Turns\s+2 \/ 1[\s\S]*Time\s+[\d.]+ m?s \/ 2 min/);
        await page.fill("textarea", "LOOK CLOSER again");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 2);
        await says(page.locator(".item.end").last(), /Out of turns/);
    });

    check("agents: the built-in ones, a file of the project's with its reason, a copy in the workspace", async ({ server, page, go, detail }) => {
        await go("#/agents");
        const list = page.locator("nav[aria-label='List of agents']");
        await list.locator(".tool-row", { hasText: "explore" }).waitFor();
        for (const name of ["plan", "build", "review"]) await list.locator(".tool-row", { hasText: name }).first().waitFor();
        mkdirSync(join(server.root, ".boxagnts", "agents"), { recursive: true });
        writeFileSync(join(server.root, ".boxagnts", "agents", "half.md"), "---\nname: half\n---\nNo description.\n");
        await list.locator(".tool-row", { hasText: "half" }).click(); // the server says that it came
        await detail().getByRole("alert").filter({ hasText: "description" }).waitFor();
        await go("#/agents/build");
        await detail().getByRole("button", { name: "Edit a copy in this workspace" }).click();
        const text = page.getByLabel("Text of build");
        await matches(() => text.inputValue(), /^---\n[\s\S]*description:/);
        await text.fill("---\nname: build\ndescription: Builds slowly\n---\nSlowly.\n");
        await text.press("Control+s");
        await list.locator(".tool-row", { hasText: "Builds slowly" }).waitFor();
        await detail().getByRole("button", { name: "Close the editor" }).click();
        await detail().getByRole("button", { name: "Delete", exact: true }).click();
        await detail().getByRole("button", { name: "Delete it" }).click();
        await list.locator(".tool-row", { hasText: "Builds slowly" }).waitFor({ state: "detached" });
        await list.locator(".tool-row", { hasText: "build" }).waitFor();
    });

    check("context: what fills the window, a fact, a pack, and a compaction that copies the fact", async ({ page, go, section, detail, say, openInspector }) => {
        await go("#/memory");
        const memory = page.getByRole("textbox", { name: "Memory" });
        await memory.fill("- Call me Ada.\n");
        await memory.press("Control+s");
        await page.getByText(/^15 of \d+ bytes$/).waitFor();
        await page.getByRole("link", { name: "New pack…" }).click();
        await page.getByRole("textbox", { name: "Name" }).fill("grafting");
        await page.getByLabel("Text of item 1").fill("Graft in spring.");
        await page.getByRole("button", { name: "Add a file" }).click();
        await page.getByLabel("Path of item 2").fill("/file-1.txt");
        await page.getByRole("button", { name: "Create it" }).click();
        await page.locator("nav .tool-row", { hasText: "grafting" }).waitFor();
        await go("");
        await say("LOOK AROUND, please");
        for (let n = 1; n <= 3; n++) {
            await page.waitForFunction((k) => document.querySelectorAll(".item.end").length === k, n);
            if (n < 3) await say(`Message ${n} more`);
        }
        await openInspector();
        const facts = section("Pinned facts"), packs = section("Packs"), context = section("Context");
        await context.locator(".context-parts li", { hasText: "Results of tools" }).waitFor();
        await context.locator(".context-sum", { hasText: "of 33 k tokens" }).waitFor();
        await says(context, /Instructions[\s\S]*Tools[\s\S]*Memory[\s\S]*Conversation[\s\S]*Results of tools/);
        await facts.getByLabel("A fact to pin").fill("Never touch third_party.");
        await facts.getByRole("button", { name: "Pin" }).click();
        await facts.locator("li", { hasText: "Never touch" }).waitFor();
        await packs.getByLabel("A pack to attach").selectOption("grafting");
        await packs.getByRole("button", { name: "Attach" }).click();
        await packs.getByRole("button", { name: "Detach grafting" }).waitFor();
        await context.locator(".context-parts li", { hasText: "Packs" }).waitFor();
        await context.getByRole("button", { name: "Compact now…" }).click();
        await page.keyboard.type("the files");
        await page.keyboard.press("Enter");
        await context.locator("summary", { hasText: "Last compaction" }).click();
        await context.locator(".context-parts li", { hasText: "Summary" }).waitFor();
        await packs.getByRole("button", { name: "Detach grafting" }).click();
        await packs.getByText("None is attached.").waitFor();
        await facts.getByRole("button", { name: "Drop Never touch third_party." }).click();
        await facts.locator("li").waitFor({ state: "detached" });
        await go("#/memory/pack:grafting");
        await detail().getByRole("button", { name: "Delete", exact: true }).click();
        await detail().getByRole("button", { name: "Delete it" }).click();
        await page.locator("nav .tool-row", { hasText: "grafting" }).waitFor({ state: "detached" });
    });

    check("skills: one of the project's is trusted as it was shown; one is made, checked, filled in, deleted", async ({ server, page, faults, go, section, detail }) => {
        const folder = join(server.root, ".claude", "skills", "odd");
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "SKILL.md"), "---\nname: odd\ndescription: \"<img src=x onerror=window.pwned=1> reads your mail\"\n---\n<script>window.pwned=1</script>\n\n![p](http://127.0.0.1:9/x.png)\n");
        await go("#/skills/odd");
        await page.locator(".document .markdown", { hasText: "<script>window.pwned=1</script>" }).waitFor();
        assert.equal(await page.locator(".document img, .document script").count(), 0);
        await section("Trust").getByRole("button").click();
        await page.locator(".tool-view h2", { hasText: "ready" }).waitFor();
        await page.getByRole("link", { name: "New skill…" }).click();
        await page.getByRole("textbox", { name: "Name" }).fill("prune-trees");
        await page.locator("#new-text").fill("---\nname: prune-trees\ndescription: Cuts them\nparameters:\n  - name: path\n    required: true\n---\nCut what is in {{path}}.\n");
        await page.getByRole("button", { name: "Create it" }).click();
        await page.locator(".tool-view h2", { hasText: "prune-trees" }).waitFor();
        const fill = section("How it fills in");
        await fill.getByRole("button", { name: "Show" }).click();
        await fill.locator(".field-problem", { hasText: "path" }).waitFor();
        faults.length = 0; // the browser's own line about the 400
        await fill.getByLabel("Arguments of prune-trees").fill("/src");
        await fill.getByRole("button", { name: "Show" }).click();
        await fill.locator("pre", { hasText: "Cut what is in /src." }).waitFor();
        await detail().getByRole("button", { name: "Edit" }).click();
        await page.getByLabel("Text of prune-trees").fill("no front matter");
        await page.locator(".check .field-problem").waitFor();
        await page.getByRole("button", { name: "Take the changes back" }).click();
        await page.locator(".check", { hasText: "It can be loaded" }).waitFor();
        await page.getByRole("button", { name: "Close the editor" }).click();
        await detail().getByRole("button", { name: "Delete", exact: true }).click();
        await detail().getByRole("button", { name: "Delete it" }).click();
        await page.locator("nav .tool-row", { hasText: "prune-trees" }).waitFor({ state: "detached" });
    });

    check("a tool of an MCP server that has changed is approved as it was shown, never as it is by then", async ({ server, page, go, api }) => {
        const fake = resolve(dirname(fileURLToPath(import.meta.url)), "../peers/mcp/fake.py");
        const changed = () => api("POST", "/tools/mcp__fake__change/run", { input: {} });
        await api("PUT", "/mcp/fake", { entry: { command: "python3", args: [fake, "--state", join(server.workspace, "fake.json")] } });
        await api("POST", "/mcp/fake/restart", {});
        await changed();
        await go("#/mcp/fake");
        const echo = page.locator(".mcp-tools li", { has: page.getByText("echo", { exact: true }) }), button = echo.getByRole("button", { name: "Approve the new one" });
        await says(echo, /Approved\s+Says the text back[\s\S]*Now\s+!\s/);
        await holds(() => button.isEnabled());
        await changed();
        await says(echo, /Now\s+!!\s/); // it is told by itself, and gives time to read
        await button.click();
        await button.waitFor({ state: "detached" });
        await echo.getByRole("link", { name: "echo" }).click();
        await says(page.locator(".tool-view h2").first(), /mcp__fake__echo/);
        await api("DELETE", "/mcp/fake", {});
    });

    check("an executor's branch: what it changed is shown, merged into the folder, and gone from the list", async ({ server, page, go, section, say, openInspector, git, mode }) => {
        git("init", "-q");
        git("add", ".");
        git("commit", "-q", "-m", "first");
        await mode("accept-edits");
        await say("BRANCH IT please");
        await page.waitForSelector(".item.end");
        await openInspector();
        const row = section("Executors").locator(".worktree");
        await row.getByText("ready to merge").waitFor();
        assert.ok(!existsSync(join(server.root, "notes.md")), "nothing is in the folder before the merge");
        await row.getByRole("button", { name: /^Changes of/ }).click();
        await row.locator("pre.diff .add", { hasText: "# Notes" }).waitFor();
        await row.getByRole("button", { name: /^Merge/ }).click();
        await section("Executors").locator(".worktree[data-state=merged]").waitFor();
        assert.equal(readFileSync(join(server.root, "notes.md"), "utf8"), "# Notes\n");
        await go("#/agents/+branches");
        await page.getByText("No branch waits").waitFor();
    });

    check("how long sessions are kept is set, and nothing young would go", async ({ page, section }) => {
        await page.getByRole("button", { name: "Settings" }).click();
        const keep = section("How long sessions are kept");
        await keep.getByLabel("Deleted after").fill("30");
        await keep.getByRole("button", { name: "Save" }).click();
        await keep.getByRole("button", { name: "Save" }).waitFor({ state: "detached" });
        assert.equal((await page.evaluate(() => fetch("/api/v1/retention").then((r) => r.json()))).delete_after_days, 30);
        assert.equal(await keep.locator("summary").count(), 0);
        await page.getByRole("button", { name: "Close", exact: true }).click();
    });
});
