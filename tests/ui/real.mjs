// What the tests on the real server share: one server with a scripted model and one page for a file's tests, and what they do again and again.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { faultless } from "./axe.mjs";
import { launch, visit } from "./browser.mjs";
import { real, startReal } from "./server.mjs";

/** `options`: as of startReal; `tests(check)`: check(name, async (at) => …) is one of the tests, `at` what it may use. */
export function onReal(what, options, tests) {
    describe(what, { skip: !real }, () => {
        const at = {};
        before(async () => {
            const [server, browser] = await Promise.all([startReal(options), launch()]);
            const { page, faults } = await visit(browser);
            Object.assign(at, { server, browser, page, faults }, doing(page, server));
            page.origin = new URL(server.url).origin;
            await page.goto(server.url);
            await page.waitForSelector("textarea");
            await page.emulateMedia({ reducedMotion: "reduce" });
        });
        after(async () => {
            await at.browser?.close();
            await at.server?.stop();
        });
        beforeEach(async () => {
            at.faults.length = 0;
            await at.go("");
            await at.page.waitForSelector(".first-run");
        });
        afterEach(async () => {
            assert.deepEqual(at.faults, []);
            assert.deepEqual(await at.page.evaluate(() => window.reports), [], "reports of the content policy");
            assert.equal(await at.page.evaluate(() => window.pwned), undefined);
        });
        tests((name, run) => test(name, () => run(at)));
    });
}

function doing(page, server) {
    const section = (name) => page.locator(`section[aria-label="${name}"]`);
    const send = async (text) => {
        await page.fill("textarea", text);
        await page.keyboard.press("Enter");
    };
    const hash = () => page.evaluate(() => location.hash);
    return {
        section, send, hash,
        detail: () => page.locator(".tool-detail"),
        go: (to) => page.evaluate((h) => { location.hash = h; }, to),
        /** Begins a session. */
        say: async (text) => {
            await send(text);
            await page.waitForFunction(() => location.hash.startsWith("#/s/"));
        },
        ended: (n = 1) => page.waitForFunction((k) => document.querySelectorAll(".item.end").length >= k, n),
        mode: (mode) => page.getByRole("combobox", { name: "Mode", exact: true }).selectOption(mode),
        openInspector: async () => {
            await page.waitForSelector(".chat-head button[aria-label=Inspector]");
            if (await page.locator("aside[aria-label=Inspector]").count() === 0) await page.getByRole("button", { name: "Inspector" }).click();
        },
        api: (method, path, body) => page.evaluate(([m, p, b]) => fetch(`/api/v1${p}`, { method: m, headers: b === undefined ? {} : { "Content-Type": "application/json" }, body: b === undefined ? undefined : JSON.stringify(b) })
            .then(async (r) => { const text = await r.text(); return text ? JSON.parse(text) : null; }), [method, path, body]),
        id: async () => /s\/([0-9a-f-]{36})/.exec(await hash())[1],
        git: (...args) => execFileSync("git", ["-C", server.root, "-c", "user.name=t", "-c", "user.email=t@localhost", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim(),
        clean: (what) => faultless(page, what, { within: ["main", "aside.panel"], dark: { runOnly: ["color-contrast"] }, reducedMotion: "reduce" }),
    };
}
