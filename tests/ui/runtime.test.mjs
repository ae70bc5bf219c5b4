// Permissions, context, executors, skills, agents, memory: the pages beside the conversation and what the inspector shows of a session.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { launch, visit } from "./browser.mjs";
import { real, start } from "./server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
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
    await page.evaluate(axe);
    for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
        assert.deepEqual(result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join(" | ")}`), [], `${what}, ${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
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
    assert.ok(await form.getByRole("button", { name: "Add the rule" }).isDisabled());
    await form.getByLabel("Tool").fill("bash");
    await page.waitForFunction(() => document.querySelector("#tool-patterns option[value=bash]"));
    await form.getByLabel("About").selectOption("command");
    await form.getByLabel("Which command").fill("rm *");
    await form.getByLabel("How long").selectOption("3600");
    assert.equal(await form.getByRole("status").innerText(), "Deny bash, command rm *, in this workspace, for 1 hour.");
    await form.getByRole("button", { name: "Add the rule" }).click();
    const row = rules.locator("li");
    await row.waitFor();
    assert.match(await row.innerText(), /Deny\s+bash\s+rm \*\s+until [\s\S]*Remove/);
    const trial = section("What would happen");
    await trial.getByLabel("Command").fill("ls && rm -r build");
    await trial.getByLabel("Command").press("Enter");
    const outcome = trial.locator(".trial");
    await outcome.waitFor();
    assert.equal(await outcome.getAttribute("data-decision"), "deny");
    assert.match(await outcome.locator("li").nth(1).innerText(), /Deny\s+rm -r build/);
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
