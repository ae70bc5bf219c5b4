// The same pages on the real server with a scripted model: what a mock cannot prove, that both sides speak of the same things.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { launch, visit } from "./browser.mjs";
import { real, start } from "./server.mjs";

process.env.SCRIPT = "runtime_script.json";

describe("on the real server", { skip: !real }, () => {
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
        await go("");
        await page.waitForSelector(".first-run");
    });
    afterEach(async () => {
        assert.deepEqual(faults, []);
        assert.deepEqual(await page.evaluate(() => window.reports), [], "reports of the content policy");
        assert.equal(await page.evaluate(() => window.pwned), undefined);
    });
    const go = (hash) => page.evaluate((h) => { location.hash = h; }, hash);
    const section = (name) => page.locator(`section[aria-label="${name}"]`);
    const detail = () => page.locator(".tool-detail");
    async function say(text) {
        await page.fill("textarea", text);
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => location.hash.startsWith("#/s/"));
    }
    async function openInspector() {
        if (await page.locator("aside[aria-label=Inspector]").count() === 0) await page.getByRole("button", { name: "Inspector" }).click();
    }

    test("executors of a run are a tree; each is opened from there", async () => {
        await say("DELEGATE IT please");
        await page.waitForSelector(".item.end");
        await openInspector();
        const tree = section("Executors");
        await tree.getByText(/^2 executors/).waitFor();
        const node = (name) => tree.locator(".tree > li", { hasText: name }).innerText();
        assert.match(await node("Read the first file"), /done\s+e\d · explore\s+Read the first file\s+2 of \d+ turns · [\d.]+ k? ?tokens/);
        assert.match(await node("Read the second file"), /done\s+e\d · explore\s+Read the second file\s+2 of 5 turns/);
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

    test("a budget is set, ends the run by its name, and the usage says what was used", async () => {
        await say("LOOK AROUND now");
        await page.waitForSelector(".item.end");
        await openInspector();
        const usage = section("Usage"), budget = section("Budget");
        await usage.locator("summary", { hasText: "By tool" }).click();
        await usage.locator("dd", { hasText: /^2, 2$/ }).waitFor();
        assert.match(await usage.locator("tr", { hasText: "read" }).innerText(), /read\s+1\s+–/);
        await budget.getByRole("button", { name: "Set a budget…" }).click();
        await page.waitForFunction(() => document.activeElement?.closest(".budget"));
        await budget.getByLabel("Turns").fill("1");
        await budget.getByLabel("Time").fill("2");
        await page.keyboard.press("Enter");
        await budget.locator(".limit-value").first().waitFor();
        assert.match(await budget.innerText(), /Turns\s+2 \/ 1[\s\S]*Time\s+[\d.]+ m?s \/ 2 min/);
        await page.fill("textarea", "LOOK CLOSER again");
        await page.keyboard.press("Enter");
        await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 2);
        assert.match(await page.locator(".item.end").last().innerText(), /Out of turns/);
    });

    test("agents: the built-in ones, a file of the project's with its reason, a copy in the workspace", async () => {
        await go("#/agents");
        const list = page.locator("nav[aria-label='List of agents']");
        await list.locator(".tool-row", { hasText: "explore" }).waitFor();
        for (const name of ["plan", "build", "review"]) assert.equal(await list.locator(".tool-row", { hasText: name }).count() > 0, true, name);
        mkdirSync(join(server.root, ".boxagnts", "agents"), { recursive: true });
        writeFileSync(join(server.root, ".boxagnts", "agents", "half.md"), "---\nname: half\n---\nNo description.\n");
        await go("#/tools");
        await go("#/agents/half");
        await detail().getByRole("alert").filter({ hasText: "description" }).waitFor();
        await go("#/agents/build");
        await detail().getByRole("button", { name: "Edit a copy in this workspace" }).click();
        const text = page.getByLabel("Text of build");
        assert.match(await text.inputValue(), /^---\n[\s\S]*description:/);
        await text.fill("---\nname: build\ndescription: Builds slowly\n---\nSlowly.\n");
        await text.press("Control+s");
        await list.locator(".tool-row", { hasText: "Builds slowly" }).waitFor();
        await detail().getByRole("button", { name: "Close the editor" }).click();
        await detail().getByRole("button", { name: "Delete", exact: true }).click();
        await detail().getByRole("button", { name: "Delete it" }).click();
        await list.locator(".tool-row", { hasText: "Builds slowly" }).waitFor({ state: "detached" });
        await list.locator(".tool-row", { hasText: "build" }).waitFor();
    });
});
