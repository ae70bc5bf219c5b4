// Much at once, against the mock, which can pace it: long sessions, fast streams, a lost connection. What is asked for here is
// that the page does little work, not that it is quick: DOM sizes and counts, no clocks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, visit } from "./browser.mjs";
import { becomes, counts, says } from "./expect.mjs";
import { start } from "./server.mjs";

let server, browser, page, faults;
before(async () => {
    [server, browser] = await Promise.all([start("--big"), launch()]);
    ({ page, faults } = await visit(browser));
    await page.goto(server.url);
    await page.waitForSelector(".session");
});
after(async () => {
    await browser?.close();
    await server?.stop();
});

test("of a session with 2,680 items only what is near the view is drawn, and older events are read as the reader comes near", async () => {
    await page.fill("input[type=search]", "A very long");
    await page.locator(".sessions").getByText("In titles").waitFor(); // the list stands still
    await page.locator(".session a", { hasText: "A very long session" }).click();
    await page.waitForSelector(".item.end");
    await says(page.locator(".log"), /File 670 says/);
    await page.waitForFunction(() => { const l = document.querySelector(".log"); return l.scrollHeight - l.scrollTop - l.clientHeight < 30; });
    await page.locator(".log").hover();
    const seen = () => page.evaluate(() => Math.min(...[...document.querySelectorAll(".item.user")].map((el) => Number(/Question (\d+)/.exec(el.textContent)[1]))));
    for (let first = await seen(), i = 0; i < 40 && first > 560; i++, first = await seen()) {
        await page.mouse.wheel(0, -2400);
        await page.evaluate(() => new Promise(requestAnimationFrame));
        assert.ok(await page.locator(".item").count() < 80);
    }
    assert.ok(await seen() <= 560, "older pages came");
    assert.equal(await page.locator(".chip").count(), 0);
    await page.fill("input[type=search]", "");
});

test("in a session of 10,000 messages what is in the view stays there while older pages come, and the page stays small", async () => {
    await page.fill("input[type=search]", "Ten thousand");
    await page.locator(".sessions").getByText("In titles").waitFor(); // the list stands still
    await page.locator(".session a", { hasText: "Ten thousand messages" }).click();
    await page.waitForFunction(() => document.querySelector(".log")?.textContent.includes("Reply 5000"));
    await page.fill("input[type=search]", "");
    const log = page.locator(".log");
    await log.hover();
    const frame = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    // the first entry that is wholly in the view, and where it stands
    const place = () => log.evaluate((el) => { const edge = el.getBoundingClientRect().top, slot = [...el.querySelectorAll(".slot")].find((s) => s.getBoundingClientRect().top >= edge); return [slot.dataset.key, Math.round(slot.getBoundingClientRect().top - edge)]; });
    const nodes = () => log.evaluate((el) => el.querySelectorAll("*").length);
    let before = 0, most = 0;
    let asked, go;
    await page.route(/\/events\?/, async (route) => { // held back until the place is known
        const wait = new Promise((done) => { go = done; });
        asked();
        await wait;
        await route.continue();
    });
    for (let i = 0; i < 6; i++) {
        const question = new Promise((done) => { asked = done; }), answer = page.waitForResponse(/\/events\?/);
        await log.evaluate((el) => { el.scrollTop = 1400; }); // near the top: the page before is asked for
        await question;
        await frame();
        const [key, top] = await place();
        go();
        await (await answer).finished();
        await frame();
        await frame();
        const now = await log.evaluate((el, k) => { const s = el.querySelector(`[data-key="${k}"]`); return s ? Math.round(s.getBoundingClientRect().top - el.getBoundingClientRect().top) : null; }, key);
        assert.ok(now !== null && Math.abs(now - top) <= 2, `entry ${key} was at ${top}, is at ${now}`);
        most = Math.max(most, await nodes());
        const height = await log.evaluate((el) => el.scrollHeight);
        assert.ok(height > before, "it grew");
        before = height;
    }
    await page.unroute(/\/events\?/);
    await log.focus();
    for (let i = 0; i < 10; i++) { await page.keyboard.press("PageUp"); await frame(); most = Math.max(most, await nodes()); }
    assert.ok(most < 1500, `${most} nodes`);
    const id = /s\/([0-9a-f-]+)/.exec(page.url())[1];
    await page.evaluate((hash) => { location.hash = hash; }, `#/s/${id}/3`); // the very first message
    await page.locator(".slot.marked").waitFor();
    await page.waitForFunction(() => /Message 1\s/.test(document.querySelector(".log").innerText)); // the page before it comes by itself
    assert.ok(await nodes() < 1500);
    assert.equal(await page.getByRole("button", { name: "Earlier messages" }).count(), 0);
});

test("5,000 pieces of a reply: settled blocks are not drawn again, what is typed meanwhile is all there", async () => {
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".first-run");
    await page.evaluate(() => {
        window.tasks = [];
        new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({ entryTypes: ["longtask"] });
    });
    await page.fill("textarea", "STREAM FAST");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".markdown h2");
    await page.evaluate(() => {
        window.redrawn = 0;
        window.firstBlock = document.querySelector(".markdown > div");
        new MutationObserver((list) => { window.redrawn += list.length; }).observe(window.firstBlock, { childList: true, subtree: true, characterData: true });
    });
    const typed = "this is typed while the reply streams";
    await page.locator("textarea").pressSequentially(typed);
    await page.waitForSelector(".item.end");
    await becomes(() => page.locator("textarea").inputValue(), typed);
    await page.waitForFunction(() => document.querySelectorAll(".markdown h2").length === 80);
    assert.deepEqual(await page.evaluate(() => [window.redrawn, window.firstBlock.isConnected]), [0, true]);
    console.log("long tasks while 5,000 pieces streamed, ms:", JSON.stringify(await page.evaluate(() => window.tasks)));
    await page.fill("textarea", "");
});

test("a lost connection is made again and nothing is shown twice", async () => {
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".first-run");
    await page.fill("textarea", "EIGHT FILES and a break");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".group");
    server.child.kill("SIGUSR2"); // the mock drops every socket
    await page.waitForSelector(".item.end");
    await counts(page.locator(".group .card[data-state=done]"), 8);
    await counts(page.locator(".item.user"), 1);
    assert.equal((await page.locator(".log").innerText()).split("I will read all eight").length, 2);
    assert.equal(await page.locator(".toast").count(), 0, "not a word before two seconds");
    faults.length = 0; // the browser itself reports the lost socket
});

test("live output of a running call is shown as it comes, its tail in view", async () => {
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".first-run");
    await page.fill("textarea", "SLOW TOOL");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[data-state=running]");
    await page.locator(".card-line").click();
    await page.waitForFunction(() => /file-30\.c/.test(document.querySelector(".card-body")?.textContent ?? ""));
    await page.keyboard.press("Escape");
    await page.waitForSelector(".item.end");
    await says(page.locator(".card-state"), /stopped/);
});

test("with prefers-reduced-motion nothing moves", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((el) => { const s = getComputedStyle(el); return s.animationName !== "none" || Number.parseFloat(s.transitionDuration) > 0; }).length);
    assert.equal(moving, 0);
    await page.emulateMedia({ reducedMotion: null });
});

test("nothing was reported to the console", () => assert.deepEqual(faults, []));
