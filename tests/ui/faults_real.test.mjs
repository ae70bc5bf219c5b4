// What goes wrong around the page, on the real server: the server ends and comes back, does not know the browser any more, has a session that is damaged.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { becomes, says } from "./expect.mjs";
import { onReal } from "./real.mjs";

const script = { window: 32768, tools: true, turns: [{ text: "One." }, { text: "Two." }], when: [
    { contains: "LIST IT please", turns: [{ text: "I list it.", calls: [{ tool: "bash", input: { command: "ls /nothing-there" } }] }, { text: "There is nothing." }] },
] };
const id = (n) => `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const turns = 160;

/** Events of a session of many short runs, one a line, and a header. */
function lines(n, title) {
    const list = [{ v: 1, id: id(n), created_at: "2026-01-02T03:04:05.000Z", title, model: "scripted/m", mode: "default", root: "/", kind: "chat" }];
    const add = (type, more) => list.push({ seq: list.length, t: "2026-01-02T03:04:06.000Z", type, ...more });
    for (let i = 1; i <= turns; i++) {
        const run = id(1_000_000 * n + i);
        add("run_start", { run, model: "scripted/m", mode: "default", max_turns: 5, budget: {} });
        add("user", { run, text: `Question ${i}.` });
        add("assistant", { run, turn: 1, text: `Answer ${i}.`, calls: [], finish: "stop" });
        add("run_end", { run, reason: "done", turns: 1, ms: 5 });
    }
    return list.map((l) => JSON.stringify(l));
}

function before(workspace) {
    const folder = join(workspace, ".boxagnts", "sessions"), put = (n, list) => writeFileSync(join(folder, `${id(n)}.jsonl`), `${list.join("\n")}\n`);
    mkdirSync(folder, { recursive: true });
    const broken = lines(1, "Half of it is broken");
    for (const at of [30, 200, 201, 600]) broken[at] = `${broken[at].slice(0, 25)}\u0000`; // in what is read at once, and in what is read later
    put(1, broken);
    put(2, ["{ this is no header", ...lines(2, "").slice(1)]);
}

onReal("faults around the page", { script, before }, (check) => {
    check("a damaged session is marked, and shows once all that can be read of it", async ({ page, clean }) => {
        const row = page.locator(".session", { hasText: "Half of it is broken" });
        await row.getByRole("img", { name: "partly damaged" }).waitFor();
        await row.locator("a").click();
        await page.waitForFunction((n) => document.querySelector(".log")?.innerText.includes(`Answer ${n}.`), turns);
        await page.getByText("A part of this session cannot be read").waitFor();
        await clean("a damaged session");
        await page.locator(".log").focus();
        await page.keyboard.press("Home");
        await page.waitForFunction(() => /Question 1\./.test(document.querySelector(".log").innerText));
        const seen = new Set();
        for (let more = true; more;) {
            const now = await page.evaluate(() => [...document.querySelectorAll(".item.user > p")].map((s) => s.innerText));
            assert.equal(new Set(now).size, now.length, `none is there twice: ${now}`);
            for (const text of now) seen.add(text);
            more = await page.locator(".log").evaluate(async (el) => {
                const was = el.scrollTop;
                el.scrollTop += 1500;
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                return el.scrollTop > was;
            });
        }
        assert.ok(seen.size >= turns - 4 && seen.size <= turns, `${seen.size} of ${turns} questions`);
    });

    check("a session whose beginning cannot be read says so, and the page goes on", async ({ page, go, say, ended, faults }) => {
        await go(`#/s/${id(2)}`);
        await page.getByRole("alert").filter({ hasText: "has no readable header" }).waitFor();
        await page.getByRole("button", { name: "Try again" }).click();
        await page.getByRole("alert").filter({ hasText: "has no readable header" }).waitFor();
        assert.equal(await page.locator(".toast").count(), 0);
        faults.length = 0; // the browser's own line about the status
        await go("");
        await page.waitForSelector(".first-run");
        await say("Good morning");
        await ended();
    });

    check("a command that ends with another status than 0 says so on its line", async ({ page, say, ended, mode }) => {
        await mode("auto");
        await say("LIST IT please");
        await ended();
        await says(page.locator(".card-state"), /^exit [1-9]/);
    });

    check("the server ends and comes back: nothing typed is lost, nothing is shown twice", async ({ server, page, say, send, ended, faults }) => {
        await say("Good morning");
        await ended();
        const port = new URL(server.url).port;
        await server.end();
        await page.getByText("The connection to the server is lost").waitFor();
        await send("typed while it was away");
        await page.getByText("The server cannot be reached").waitFor();
        await becomes(() => page.locator("textarea").inputValue(), "typed while it was away");
        assert.ok(await page.evaluate(() => document.querySelector(".foot").getBoundingClientRect().bottom <= document.querySelector(".composer").getBoundingClientRect().top), "what was typed can be seen");
        await server.restart(port);
        await page.getByText("The connection to the server is lost").waitFor({ state: "detached" });
        await page.focus("textarea");
        await page.keyboard.press("Enter");
        await ended(2);
        await becomes(() => page.locator(".item.user > p").allInnerTexts(), ["Good morning", "typed while it was away"]);
        assert.equal(await page.locator(".toast.warn").count(), 0);
        faults.length = 0; // the browser's own lines about the refused connections
    });

    check("a server that does not know the browser any more is said, and what to do", async ({ server, page, faults }) => {
        const port = new URL(server.url).port, file = join(server.workspace, ".boxagnts", "auth.json");
        await server.end();
        const auth = JSON.parse(readFileSync(file, "utf8"));
        for (const [name, value] of Object.entries(auth)) if (typeof value === "string") auth[name] = value.replace(/[0-9a-f]/g, (d) => (d === "0" ? "1" : "0"));
        writeFileSync(file, JSON.stringify(auth));
        const url = await server.restart(port);
        await page.getByRole("heading", { name: "This browser is not signed in" }).waitFor();
        faults.length = 0;
        await page.goto(url);
        await page.waitForSelector("textarea");
    });
});
