// Much at once on the real server: a session of 10,000 messages, many sessions (MANY_SESSIONS=10000 for as many as that). What is asked for is that the page stays small and shows
// what it should, not that it is quick; how quick it was is printed.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { holds } from "./expect.mjs";
import { onReal } from "./real.mjs";

const sessions = Number(process.env.MANY_SESSIONS ?? 1500), messages = Number(process.env.MANY_MESSAGES ?? 10_000);
const turns = messages / 2, day = 86_400_000, now = Date.now();
const id = (at, n) => { const t = at.toString(16).padStart(12, "0"); return `${t.slice(0, 8)}-${t.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`; };
const iso = (ms) => new Date(ms).toISOString();

/** A session's file: header and events. */
function put(folder, n, at, title, talk) {
    const lines = [{ v: 1, id: id(at, n), created_at: iso(at), title, model: "scripted/m", mode: "default", root: "/", kind: "chat" }];
    const add = (type, more) => lines.push({ seq: lines.length, t: iso(at + lines.length), type, ...more });
    talk.forEach(([question, reply], i) => {
        const run = id(at, 1_000_000 * (n + 1) + i);
        add("run_start", { run, model: "scripted/m", mode: "default", max_turns: 50, budget: {} });
        add("user", { run, text: question });
        add("assistant", { run, turn: 1, text: reply, calls: [], finish: "stop" });
        add("usage", { run, turn: 1, input_tokens: 100, output_tokens: 20, cached_tokens: 0, cost: null, window: 32768, estimated: 100, truncated: false, ms: 5, first_token_ms: 2 });
        add("run_end", { run, reason: "done", turns: 1, ms: 5 });
    });
    writeFileSync(join(folder, `${lines[0].id}.jsonl`), `${lines.map((l) => JSON.stringify(l)).join("\n")}\n`);
}

function before(workspace) {
    const folder = join(workspace, ".boxagnts", "sessions");
    mkdirSync(folder, { recursive: true });
    for (let n = 1; n <= sessions; n++) put(folder, n, now - 100 * day + n * 60_000, `Orchard ${n}`, [[`How many apples on tree ${n}?`, `Tree ${n} has ${n} apples.`]]);
    const words = "What was asked before is answered here, in a few words more than it takes. ";
    put(folder, 0, now - day, "Ten thousand messages", Array.from({ length: turns }, (_, i) => [i === 11 ? `Message 12 is long: ${words.repeat(200)}` : `Message ${i + 1}`, `Reply ${i + 1}. ${words.repeat(1 + (i % 7))}`]));
}

onReal("much at once, on the real server", { script: { turns: [{ text: "Yes." }], window: 32768, tools: true }, before }, (check) => {
    const frames = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const nodes = (page) => page.evaluate(() => document.querySelectorAll("*").length);
    /** How many px of the view show nothing of the list. */
    const blank = (page, box) => page.evaluate((selector) => {
        const el = document.querySelector(selector), view = el.getBoundingClientRect();
        let seen = 0;
        for (const slot of el.querySelectorAll("[data-key], .earlier, .activity")) {
            const r = slot.getBoundingClientRect();
            seen += Math.max(0, Math.min(r.bottom, view.bottom) - Math.max(r.top, view.top));
        }
        return Math.round(view.height - seen);
    }, box);
    const drawn = (page, box, what) => holds(async () => await blank(page, box) < 60, `${what}: a part of the view is blank`); // 60: the column's padding at either end
    /** Does it, and prints how long it took and the longest time that the page could not answer. */
    const took = async (what, page, action) => {
        await page.evaluate(() => {
            window.longest = 0;
            if (!window.watching) (window.watching = new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); })).observe({ entryTypes: ["longtask"] });
        });
        const from = performance.now();
        await action();
        console.log(`${what}: ${Math.round(performance.now() - from)} ms, longest task ${Math.round(await page.evaluate(() => window.longest))} ms`);
    };

    check(`a session of ${messages} messages is scrolled by wheel and keys, and what is in the view is drawn`, async ({ page }) => {
        await page.fill("input[type=search]", "Ten thousand");
        await page.waitForFunction(() => document.querySelectorAll(".session").length === 1); // the list stands still
        await page.locator(".session a", { hasText: "Ten thousand messages" }).first().click();
        await took("opened", page, () => page.waitForFunction((n) => document.querySelector(".log")?.textContent.includes(`Reply ${n}.`), turns));
        await page.fill("input[type=search]", "");
        const log = page.locator(".log");
        await log.hover();
        let most = 0;
        const look = async (what) => {
            await frames(page);
            most = Math.max(most, await nodes(page));
            await drawn(page, ".log", what);
        };
        await took("25 turns of the wheel", page, async () => {
            for (let i = 0; i < 25; i++) { await page.mouse.wheel(0, -2400); await look(`wheel ${i}`); }
        });
        await log.focus();
        await took("to the first message", page, async () => {
            await page.keyboard.press("Home");
            await page.waitForFunction(() => /^Message 1$/m.test(document.querySelector(".log").innerText));
        });
        await look("Home");
        await holds(async () => await log.evaluate((el) => el.scrollTop) < 40, "at the top");
        for (let i = 0; i < 5; i++) { await page.keyboard.press("PageDown"); await look("PageDown"); }
        await page.keyboard.press("End");
        await page.waitForFunction((n) => { const l = document.querySelector(".log"); return l.innerText.includes(`Reply ${n}.`) && l.scrollHeight - l.scrollTop - l.clientHeight < 30; }, turns);
        await look("End");
        await log.evaluate((el) => { el.scrollTop = el.scrollHeight / 2; }); // as one drags the bar
        await look("the middle");
        assert.ok(most < 3000, `${most} nodes`);
    });

    check("a hit of the search, and what fills the context, lead far into it", async ({ page, openInspector, section }) => {
        await page.fill("input[type=search]", "Message 321");
        await took("searched", page, () => page.locator(".session", { hasText: "Ten thousand messages" }).locator(".hit mark").first().waitFor());
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await page.locator(".slot.marked", { hasText: "Message 321" }).waitFor();
        await page.fill("input[type=search]", "");
        await openInspector();
        const talk = section("Context").locator("details", { hasText: "Conversation" });
        await took("the context's parts", page, () => talk.waitFor());
        await talk.locator("summary").click();
        await talk.getByRole("button", { name: /^Message 12 is long/ }).click();
        await page.locator(".slot.marked", { hasText: "Message 12 is long" }).waitFor();
        await holds(() => page.evaluate(() => { const r = document.querySelector(".slot.marked").getBoundingClientRect(), l = document.querySelector(".log").getBoundingClientRect(); return r.top >= l.top && r.top < l.bottom; }), "it is in the view");
        assert.ok(await nodes(page) < 3000);
    });

    check(`of ${sessions} sessions those near the view are drawn, by wheel and keys; one far away is found and opened`, async ({ page }) => {
        const list = page.locator(".session-list"), at = () => page.evaluate(() => document.activeElement.dataset.row);
        await list.hover();
        await took("15 turns of the wheel in the list", page, async () => {
            for (let i = 0; i < 15; i++) {
                await page.mouse.wheel(0, 900);
                await frames(page);
                await drawn(page, ".session-list", `wheel ${i}`);
            }
        });
        await page.locator(".session a").first().focus();
        await took("4 times to the end of what is loaded", page, async () => {
            for (let i = 0, was = ""; i < 4; i++, was = await at()) {
                await page.keyboard.press("End");
                await page.waitForFunction((w) => document.activeElement.dataset.row && document.activeElement.dataset.row !== w, was);
                assert.ok(await page.locator(".session").count() < 120);
                await page.waitForFunction(() => { const l = document.querySelector(".session-list"); return l.scrollHeight - l.scrollTop - l.clientHeight > 1000; }); // the next page is there
            }
        });
        await page.keyboard.press("Home");
        await page.waitForFunction(() => document.activeElement === document.querySelector(".session a"));
        await page.fill("input[type=search]", "Orchard 42");
        await page.getByRole("heading", { name: "In titles" }).waitFor();
        await page.fill("input[type=search]", "apples on tree 77?");
        await took("found by its words", page, () => page.locator(".hit mark", { hasText: "apples on tree 77?" }).waitFor());
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await page.locator(".slot.marked", { hasText: "How many apples on tree 77?" }).waitFor();
        await page.fill("input[type=search]", "");
        assert.ok(await nodes(page) < 3000);
    });
});
