// Sessions, the message box and the conversation, on the mock and (where it can play it) on the real server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { faultless } from "./axe.mjs";
import { launch, visit } from "./browser.mjs";
import { becomes, counts, focusIs, holds, matches, says } from "./expect.mjs";
import { real, start } from "./server.mjs";

let server, browser, page, faults;

before(async () => {
    [server, browser] = await Promise.all([start(), launch()]);
    ({ page, faults } = await visit(browser, { permissions: ["clipboard-read", "clipboard-write"] }));
    page.origin = new URL(server.url).origin;
    await page.goto(server.url);
    await page.waitForSelector("textarea");
});
after(async () => {
    await browser?.close();
    await server?.stop();
});
beforeEach(async () => {
    faults.length = 0;
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".first-run");
});
afterEach(async () => {
    assert.deepEqual(faults, []);
    assert.deepEqual(await page.evaluate(() => window.reports), [], "reports of the content policy");
});

const mockOnly = { skip: real && "played by the mock" };
const box = () => page.getByLabel("Message", { exact: true });
const row = (title) => page.locator(".session", { hasText: title });
const key = (...keys) => keys.reduce((before, k) => before.then(() => page.keyboard.press(k)), Promise.resolve());
async function say(text, ends = 1) {
    await box().fill(text);
    await key("Enter");
    await page.waitForFunction((n) => document.querySelectorAll(".item.end").length >= n, ends);
}
async function clean(what) {
    if (real) return; // the same page: looked at on the mock
    await faultless(page, what);
}
const focused = () => page.evaluate(() => document.activeElement.dataset.row ? document.activeElement.querySelector(".session-title").textContent : document.activeElement.getAttribute("aria-label") ?? document.activeElement.tagName);
const log = () => page.locator(".log").innerText();

test("a message is edited and sent again; what it replaces is folded away, and is there after a reload", async () => {
    await say("MARK DOWN the first");
    await key("ArrowUp"); // in the empty box: the last message
    const editor = page.getByLabel("The message in other words");
    await editor.waitFor();
    await becomes(() => editor.inputValue(), "MARK DOWN the first");
    await key("Escape");
    await editor.waitFor({ state: "detached" });
    await focusIs(box());
    await page.locator(".item.user").hover();
    await page.getByRole("button", { name: "Edit this message" }).click();
    await editor.fill("MARK DOWN the second");
    await clean("a message being edited");
    await key("Enter");
    await page.getByRole("button", { name: "1 earlier version" }).waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 1 && [...document.querySelectorAll(".item.user > p")].map((p) => p.innerText).join() === "MARK DOWN the second");
    await page.reload();
    await page.waitForSelector(".item.end");
    await becomes(() => page.locator(".item.user > p").allInnerTexts(), ["MARK DOWN the second"]);
    await page.getByRole("button", { name: "1 earlier version" }).click();
    await becomes(() => page.locator(".item.user > p").allInnerTexts(), ["MARK DOWN the first", "MARK DOWN the second"]);
    await counts(page.locator(".versions-body .item.end"), 1);
    await counts(page.getByRole("button", { name: "Edit this message" }), 1, "an old version is not edited");
    await clean("an earlier version");
});

test("a fork has what was there up to the message, the first session keeps all", async () => {
    await say("MARK DOWN trunk");
    await say("MARK DOWN branch", 2);
    const trunk = new URL(page.url()).hash;
    await page.locator(".item.user").nth(1).hover();
    await page.getByRole("button", { name: "Fork at this message" }).nth(1).click();
    await page.waitForFunction((hash) => location.hash !== hash && document.querySelectorAll(".item.user").length === 1, trunk);
    await becomes(() => box().inputValue(), "MARK DOWN branch", "the message is ready to be sent in other words");
    await box().fill("");
    await page.evaluate((hash) => { location.hash = hash; }, trunk);
    await page.waitForFunction(() => document.querySelectorAll(".item.user").length === 2);
    await page.locator(".item.assistant").first().hover();
    await page.getByRole("button", { name: "Copy this reply" }).first().click();
    await page.getByText("Copied.").waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^## Part 1/);
    await page.getByRole("button", { name: "Fork at this reply" }).first().click();
    await page.waitForFunction((hash) => location.hash !== hash && document.querySelectorAll(".item.assistant").length === 1, trunk);
});

test("the slash offers commands by keyboard alone; an answer is a note; an unknown one is said where it was typed", async () => {
    await say("MARK DOWN commands");
    await box().focus();
    await page.keyboard.type("/hel");
    const offers = page.getByRole("listbox", { name: "Suggestions" });
    await offers.waitFor();
    await says(offers.getByRole("option", { selected: true }), /^\/help/);
    await becomes(() => box().getAttribute("aria-activedescendant"), "offers-0");
    await clean("commands");
    await key("Tab");
    await matches(() => box().inputValue(), /^\/help ?$/);
    await key("Enter");
    await page.locator(".local").waitFor();
    await says(page.locator(".local"), /^\/help[\s\S]*compact/);
    await becomes(() => box().inputValue(), "");
    await page.keyboard.type("/comppact now");
    await key("Enter");
    await page.locator(".wrong").waitFor();
    await says(page.locator(".wrong"), /compact/);
    await becomes(() => box().inputValue(), "/comppact now", "nothing typed is lost");
    assert.match(faults.splice(0).join(), /status of 400/);
    await key("Escape");
    await page.locator(".wrong").waitFor({ state: "detached" });
    await box().fill("");
    await page.keyboard.type("/");
    await offers.waitFor();
    await key("Escape");
    await offers.waitFor({ state: "detached" });
    await becomes(() => box().inputValue(), "/");
    await box().fill("//MARK DOWN, not a command");
    await key("Enter");
    await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 2);
    await becomes(() => page.locator(".item.user > p").last().innerText(), "/MARK DOWN, not a command");
    await box().fill("/permissions");
    await key("Enter");
    await page.waitForFunction(() => location.hash === "#/permissions");
    await page.goBack();
    await box().waitFor();
    await box().fill("/fork");
    const before = new URL(page.url()).hash;
    await key("Enter");
    await page.waitForFunction((hash) => location.hash !== hash && document.querySelector(".item.user"), before);
    await becomes(() => page.locator(".item.user > p").first().innerText(), "MARK DOWN commands");
});

test("the at sign offers files, folders stay open", async () => {
    await box().focus();
    await page.keyboard.type(real ? "Read @file-3" : "Read @orchard.c");
    const first = page.getByRole("listbox", { name: "Suggestions" }).getByRole("option").first();
    await first.waitFor();
    await page.waitForFunction((text) => document.querySelector(".offers li")?.textContent.includes(text), real ? "file-3.txt" : "orchard.c");
    await key("Enter");
    await matches(() => box().inputValue(), real ? /^Read @\/?file-3\.txt $/ : /^Read @(src\/orchard|tests\/test_orchard)\.c $/);
    await key("Escape");
    await box().fill("mail@example.org is no file");
    await counts(page.locator(".offers"), 0);
    await box().fill("");
});

test("what is typed while a run is at work waits, also over a reload, and can be taken back", async () => {
    await box().fill("NEVER ENDS and I add to it");
    await key("Enter");
    await page.waitForSelector(".item.assistant");
    await page.keyboard.type("one more thing");
    await key("Enter");
    const queue = page.getByRole("list", { name: "Waiting to be sent" });
    await queue.waitFor();
    await says(queue, /one more thing[\s\S]*Joins at the next turn/);
    await becomes(() => box().inputValue(), "");
    await page.reload();
    await queue.waitFor();
    await queue.getByRole("button", { name: /^Take back/ }).click();
    await queue.waitFor({ state: "detached" });
    await becomes(() => box().inputValue(), "one more thing");
    await box().fill("");
    await key("Escape");
    await page.waitForSelector(".item.end");
});

test("what is typed while a run is at work joins at its next turn", mockOnly, async () => {
    const queue = page.getByRole("list", { name: "Waiting to be sent" });
    await box().fill("TWO TURNS please");
    await key("Enter");
    await page.waitForSelector(".card[data-state=running]");
    await page.keyboard.type("and the pears");
    await key("Enter");
    await page.waitForSelector(".item.end");
    await says(page.locator(".log"), /and the pears\s+said while it worked[\s\S]*Now I know both/);
    await counts(queue, 0);
});

test("a skill and /compact wait likewise, over a reload, and can be taken back", async () => {
    const skill = real ? "/code-review src" : "/review src", queue = page.getByRole("list", { name: "Waiting to be sent" });
    await box().fill("NEVER ENDS, with commands behind it");
    await key("Enter");
    await page.waitForSelector(".item.assistant");
    for (const [i, text] of [skill, "/compact the apples", "//not a command"].entries()) {
        await box().fill(text);
        await key("Enter");
        await queue.getByRole("listitem").nth(i).waitFor();
        await becomes(() => box().inputValue(), "");
    }
    await page.reload();
    await queue.waitFor();
    const words = [/^\/\S*review src\s+Skill \S*review begins at the next turn/, /^\/compact the apples\s+Done before the next turn/, /^\/not a command\s+Joins at the next turn/];
    for (const [i, text] of (await queue.getByRole("listitem").allInnerTexts()).entries()) assert.match(text, words[i]);
    await clean("commands that wait");
    await queue.getByRole("button", { name: "Take back: /compact the apples" }).click();
    await page.waitForFunction(() => document.querySelector("textarea").value === "/compact the apples");
    await box().fill("");
    await queue.getByRole("button", { name: "Take back: /not a command" }).click();
    await page.waitForFunction(() => document.querySelector("textarea").value === "//not a command");
    await box().fill("");
    await key("Escape");
    await page.waitForSelector(".item.end");
    await queue.getByText(/begins before your next message/).waitFor();
    await queue.getByRole("button", { name: "Send now" }).click();
    await queue.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 2);
    if (real) await says(page.locator(".log"), /\/code-review src\s[\s\S]*Skill code-review is active/);
});

test("a skill joins at the next turn, and the context is made smaller between two", mockOnly, async () => {
    for (const [i, text] of ["/review src", "/compact the pears"].entries()) { // the play goes on when something waits
        await box().fill("TWO TURNS please");
        await key("Enter");
        await page.waitForSelector(".card[data-state=running]");
        await box().fill(text);
        await key("Enter");
        await page.waitForFunction((n) => document.querySelectorAll(".item.end").length === n, i + 1);
    }
    await says(page.locator(".log"), /\/review src\s+said while it worked[\s\S]*Skill review is active[\s\S]*Now I know both[\s\S]*Context compacted[\s\S]*Now I know both/);
    await counts(page.getByRole("list", { name: "Waiting to be sent" }), 0);
});

test("a message is edited and sent again while the run that it began is at work", async () => {
    await box().fill("NEVER ENDS, in the wrong words");
    await key("Enter");
    await page.waitForSelector(".item.assistant");
    await key("ArrowUp"); // in the empty box: the last message
    const editor = page.getByLabel("The message in other words");
    await editor.fill("MARK DOWN instead");
    await clean("a message being edited while a run is at work");
    await page.getByRole("button", { name: "Stop and send" }).click();
    await page.getByRole("button", { name: "1 earlier version" }).waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 1 && [...document.querySelectorAll(".item.user > p")].map((p) => p.innerText).join() === "MARK DOWN instead");
    assert.doesNotMatch(await log(), /Stopped/, "the run that was stopped is in the earlier version");
});

test("what is left waiting when a run is stopped stays there, and is sent when asked", async () => {
    await box().fill("NEVER ENDS with a word behind it");
    await key("Enter");
    await page.waitForSelector(".item.assistant");
    await page.keyboard.type("MARK DOWN after it");
    await key("Enter");
    const queue = page.getByRole("list", { name: "Waiting to be sent" });
    await queue.waitFor();
    await key("Escape");
    await page.waitForSelector(".item.end");
    await queue.getByText("Goes out before your next message").waitFor();
    await queue.getByRole("button", { name: "Send now" }).click();
    await queue.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.querySelectorAll(".item.user").length === 2);
    await says(page.locator(".log"), /Stopped[\s\S]*MARK DOWN after it/);
    await key("Escape"); // the real one's script never ends here either
    await page.waitForFunction(() => document.querySelectorAll(".item.end").length === 2);
});

test("all that happens to a session is in its conversation", mockOnly, async () => {
    await row("Everything that happens").locator("a").click();
    await page.waitForSelector(".item.end");
    for (const words of [/2 earlier versions/, /The model reads everything anew: tools changed\.\s+the tool mcp__git__status was added/, /And the pears\?\s+said while it worked/, /Context compacted\s+· 26 k → 4\.1 k tokens/, /Context pack house-rules is attached/,
        /A pinned fact was dropped/, /plans and hands work to executors/, /the budget of \$0\.50 is used up/, /Out of money \(budget\)/]) await says(page.locator(".log"), words);
    await becomes(() => page.getByRole("button", { name: "Planner", exact: true }).getAttribute("aria-pressed"), "true");
    await page.locator(".compact summary").focus();
    await key("Enter");
    await says(page.locator(".compact"), /nearly full[\s\S]*Only apples[\s\S]*Kept word by word[\s\S]*orchard-2[\s\S]*4 turns, 9 results, 18 k tokens[\s\S]*\/src\/tree\.c/);
    await clean("a compaction");
});

test("executors are under their manager in the list, folded away", mockOnly, async () => {
    const manager = row("Mend the orchard with four hands");
    await manager.locator("a").focus();
    await key("ArrowRight");
    await row("Check what calloc returns").waitFor();
    await clean("executors in the list");
    await row("Check what calloc returns").locator("a").click();
    await page.locator(".to-manager").waitFor();
    await says(page.locator(".chat-head h1"), /Mend the orchard with four hands\s*Check what calloc returns/);
    await page.locator(".to-manager").click();
    await page.waitForFunction(() => document.querySelector(".chat-head h1").innerText.startsWith("Mend the orchard"));
    await manager.locator("a").focus();
    await key("ArrowLeft");
    await row("Check what calloc returns").waitFor({ state: "detached" });
});

test("the call that began an executor says how it fares and leads to it; from there back to its manager", async () => {
    await say("HANDS ON it");
    const line = page.locator(".executor-line"), manager = new URL(page.url()).hash;
    await says(line, real ? /^explore\s*done\s*1 turn · \d+.* tokens/ : /^explore\s*done\s*3 turns · 5 k tokens · \$0\.0030/);
    await line.getByRole("link", { name: /^Open/ }).click();
    await page.locator(".to-manager").waitFor();
    await page.locator(".item.assistant", { hasText: "There are two" }).first().waitFor();
    await page.locator(".to-manager").click();
    await page.waitForFunction((hash) => location.hash === hash, manager);
    await row("HANDS ON it").getByRole("button", { name: "1 executor" }).waitFor();
});

test("the list: searched in titles and texts, a hit opens where it was said", mockOnly, async () => {
    await page.getByLabel("Search sessions").fill("calloc");
    await page.getByRole("list", { name: "Sessions found" }).waitFor();
    await page.locator(".hit", { hasText: "calloc" }).first().waitFor();
    await says(page.locator(".session-list"), /In what was said[\s\S]*calloc/);
    assert.ok((await page.locator(".hit mark").allInnerTexts()).every((t) => t.toLowerCase() === "calloc"));
    await clean("hits");
    await page.getByLabel("Search sessions").fill("file 12 says");
    await page.waitForFunction(() => document.querySelector(".hit")?.textContent.includes("File 12 says"));
    await key("ArrowDown", "Enter");
    const hit = page.locator(".slot.marked");
    await hit.waitFor();
    await says(hit, /File 12 says/);
    await holds(() => hit.evaluate((el) => { const r = el.getBoundingClientRect(), l = document.querySelector(".log").getBoundingClientRect(); return r.top >= l.top && r.bottom <= l.bottom; }), "the hit is in the view");
    await page.getByLabel("Search sessions").fill("no such words anywhere");
    await page.getByText("Nothing in your sessions says").waitFor();
    await page.getByLabel("Search sessions").focus();
    await key("Escape");
    await page.getByText("Nothing in your sessions says").waitFor({ state: "detached" });
});

test("the words of a reply are found, and lead to it", async () => {
    await say("MARK DOWN to be found");
    await say("MARK DOWN to be found again");
    await key("Control+k");
    await page.waitForSelector(".first-run");
    await page.getByLabel("Search sessions").fill("pears are not");
    const first = page.locator(".session").first();
    await first.locator(".hit mark").waitFor();
    await becomes(() => first.locator(".hit mark").innerText(), "pears are not");
    await key("ArrowDown", "Enter");
    const hit = page.locator(".slot.marked");
    await hit.waitFor();
    await says(hit, /pears are not/);
    await page.getByLabel("Search sessions").fill("to be found");
    await page.getByRole("heading", { name: "In titles" }).waitFor();
    await says(page.locator(".session-list"), /^In titles\s+MARK DOWN to be found/);
    await becomes(() => page.locator(".session.with-hit .places").first().innerText(), "2 places");
    await page.getByLabel("Search sessions").fill("");
    await page.getByRole("heading", { name: "In titles" }).waitFor({ state: "detached" });
});

test("the list by keyboard: moved in, renamed, pinned, selected, deleted and taken back", async () => {
    for (const name of ["one", "two", "three"]) { await say(`MARK DOWN ${name}`); await key("Control+k"); await page.waitForSelector(".first-run"); }
    await row("MARK DOWN three").waitFor();
    await page.locator(".session a").first().focus();
    const top = await focused();
    await key("ArrowDown");
    await holds(async () => await focused() !== top, "one row down");
    await key("ArrowUp");
    await becomes(focused, top);
    await key("F2");
    await page.keyboard.type("The pear tree");
    await key("Enter");
    await row("The pear tree").waitFor();
    await row("The pear tree").locator("a").focus();
    await key("p");
    await page.getByRole("heading", { name: "Pinned" }).waitFor();
    await says(page.locator(".session-list"), /^Pinned\s+The pear tree/);
    await row("The pear tree").locator("a").focus();
    await key("p");
    await page.getByRole("heading", { name: "Pinned" }).waitFor({ state: "detached" });
    await row("MARK DOWN two").locator("a").focus();
    await key("Space", "Shift+ArrowDown");
    const bar = page.getByRole("toolbar", { name: "Selected sessions" });
    await bar.getByText("2 sessions").waitFor();
    await clean("a selection");
    await key("Delete");
    await row("MARK DOWN two").waitFor({ state: "detached" });
    await row("MARK DOWN one").waitFor({ state: "detached" });
    await page.getByText("Deleted 2 sessions.").waitFor();
    await key("Control+z");
    await row("MARK DOWN two").waitFor();
    await row("MARK DOWN one").waitFor();
    await row("MARK DOWN two").locator("a").focus();
    await key("Space", "Escape");
    await bar.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "More for MARK DOWN two" }).focus();
    await key("Enter");
    const menu = page.getByRole("menu", { name: "More for MARK DOWN two" });
    await menu.waitFor();
    await clean("a session's menu");
    await key("End");
    await becomes(() => page.evaluate(() => document.activeElement.textContent.trim()), "Delete");
    await key("Escape");
    await menu.waitFor({ state: "detached" });
});

test("a session is exported, and imported again by file and by drop; what is no session is said so", async () => {
    await say("MARK DOWN to export");
    await page.getByRole("button", { name: "This session", exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "Export as JSON" }).click()]);
    const file = await download.path(), text = readFileSync(file, "utf8");
    assert.match(text, /MARK DOWN to export/);
    const here = new URL(page.url()).hash;
    await page.setInputFiles('input[type="file"]', { name: "session.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await page.getByText("Imported “MARK DOWN to export”").waitFor();
    await page.waitForFunction((hash) => location.hash !== hash && document.querySelector(".item.end"), here);
    await says(page.locator(".log"), /MARK DOWN to export[\s\S]*Part 2/);
    await page.locator(".sessions").evaluate((el) => {
        const data = new DataTransfer();
        data.items.add(new File(["this is no session"], "shopping.json", { type: "application/json" }));
        for (const type of ["dragover", "drop"]) el.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
    });
    await page.getByText(/shopping\.json was not imported: /).waitFor();
    assert.match(faults.splice(0).join(), /status of 4\d\d/);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByRole("button", { name: "This session", exact: true }).click();
    const [html] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "Export as HTML" }).click()]);
    assert.match(readFileSync(await html.path(), "utf8"), /^<!doctype html>/i);
});

test("a session's budget and its planner are kept", async () => {
    await say("MARK DOWN with a budget");
    await page.getByRole("button", { name: "Budget", exact: true }).click();
    const form = page.getByRole("dialog", { name: "Budget" });
    await form.getByLabel("Tokens").fill("many");
    await says(form.getByRole("alert"), /Tokens must be a number/);
    await holds(() => form.getByRole("button", { name: "Keep" }).isDisabled());
    await clean("a budget");
    await form.getByLabel("Tokens").fill("200000");
    await form.getByLabel("Money").fill("0.5");
    await form.getByLabel("Time").fill("30");
    await key("Enter");
    await form.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Planner", exact: true }).click();
    await page.waitForSelector('.planner[aria-pressed="true"]');
    await page.reload();
    await page.waitForSelector('.planner[aria-pressed="true"]');
    await page.getByRole("button", { name: "Budget", exact: true }).click();
    await page.waitForSelector(".budget input:not([disabled])");
    await becomes(() => form.locator("input").evaluateAll((list) => list.map((el) => el.value)), ["200000", "0.5", "", "30", ""]);
    await key("Escape");
    await form.waitFor({ state: "detached" });
});

test("at phone width the list, its menu, the box and its offers fit", async () => {
    await say("MARK DOWN narrow");
    await page.setViewportSize({ width: 390, height: 844 });
    const wide = () => page.evaluate(() => [...document.querySelectorAll("body *")].filter((el) => { const r = el.getBoundingClientRect(); return r.width && r.left >= 0 && r.right > innerWidth + 1 && !el.closest("pre, table, .sr-only"); }).map((el) => el.className || el.tagName));
    await page.getByRole("button", { name: "Show sessions" }).click();
    await page.getByRole("button", { name: /^More for MARK DOWN narrow/ }).click();
    await page.getByRole("menuitem", { name: "Rename" }).waitFor();
    await becomes(wide, []);
    await key("Escape", "Escape");
    await box().fill("/");
    await page.locator(".offers").waitFor();
    await becomes(wide, []);
    await becomes(() => page.evaluate(() => document.documentElement.scrollWidth), 390);
    await box().fill("A message of several words that is one line where there is room, and more than one where there is not so much of it.");
    await page.waitForFunction(() => { const el = document.querySelector(".composer textarea"); return el.clientHeight > 60 && el.scrollHeight <= el.clientHeight + 1; });
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.waitForFunction(() => document.querySelector(".composer textarea").clientHeight < 60); // as high as it must be, also when the width changes
    await box().fill("");
});
