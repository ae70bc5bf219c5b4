// What is said of a session's context on the real server, and what ends or steers its runs: the cache, a cut request, a compaction, a plan, a budget.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { becomes, counts, focusIs, says } from "./expect.mjs";
import { onReal } from "./real.mjs";

const call = (tool, input) => ({ tool, input });
const read = (n) => ({ text: `I read file ${n}.`, calls: [call("read", { file_path: `/file-${n}.txt` })] });
const summary = "## Goal\n- know the files\n## Decisions\n- read them all\n## Files touched\n- /file-1.txt\n## Open tasks\n- none\n## Facts\n- each has one line\n";
const plan = (what) => ({ text: "This is what I would do.", calls: [call("ExitPlanMode", { plan: `# Plan\n\n1. ${what}\n2. Check it.` })] });
const script = { window: 32768, tools: true, turns: [{ text: "I have no script for this message." }], when: [
    { contains: "You condense the record", turns: [{ text: summary }] },
    { contains: "CUT IT please", turns: [{ text: "What was the question?", usage: { prompt_tokens: 300, completion_tokens: 5 } }] },
    { contains: "PLAN IT please", turns: [plan("Write to the wrong place."), plan("Write /planned.md."), { text: "I write.", calls: [call("write", { file_path: "/planned.md", content: "as planned\n" })] }, { text: "It is done as planned." }] },
    { contains: "TWO CALLS please", turns: [{ text: "Good morning." }, read(1), read(2), { text: "This is how far I came." }] },
    { contains: "READ THEM please", turns: [1, 2, 3, 4].flatMap((n) => [read(n), { text: `File ${n} has one line. ${"It says what it is. ".repeat(20)}` }]) },
] };

onReal("context on the real server", { script }, (check) => {
    check("what broke the cache is a line of the conversation, and stands beside the context", async ({ server, page, section, say, send, ended, openInspector }) => {
        writeFileSync(join(server.root, "AGENTS.md"), "Be brief.\n");
        await say("Good morning");
        await ended();
        await send("And again");
        await ended(2);
        assert.equal(await page.locator(".item.line").count(), 0);
        writeFileSync(join(server.root, "AGENTS.md"), "Be very brief.\n");
        await send("And now?");
        await ended(3);
        await says(page.locator(".item.line"), /^The model reads everything anew: project changed\.\s+\/AGENTS\.md changed$/);
        await openInspector();
        await section("Context").locator(".cache-break", { hasText: "from project files on: /AGENTS.md changed" }).waitFor();
    });

    check("a provider that cuts the request is said in the conversation and beside the context", async ({ page, section, say, ended, openInspector, clean }) => {
        await say("CUT IT please");
        await ended();
        await says(page.locator(".notice.warn"), /counted 300 tokens of about/);
        await openInspector();
        await section("Context").getByRole("alert").filter({ hasText: "cut something off" }).waitFor();
        await section("Context").getByText("learnt by counting").waitFor();
        await clean("a cut request");
    });

    check("a compaction is a line that says what was lost; the conversation above it is all there", async ({ page, section, say, send, ended, openInspector, clean }) => {
        await say("READ THEM please");
        await ended();
        for (let n = 2; n <= 4; n++) { await send(`READ THEM please, number ${n}`); await ended(n); }
        await send("/compact the files");
        const line = page.locator("details.compact");
        await line.locator("summary", { hasText: /Context compacted\s+· [\d.]+ k → [\d.]+ k tokens/ }).waitFor();
        await line.locator("summary").focus();
        await page.keyboard.press("Enter");
        const says = await line.innerText();
        assert.match(says, /because you asked for it[\s\S]*Goal[\s\S]*know the files[\s\S]*Kept word by word[\s\S]*READ THEM please[\s\S]*No longer in the context\s+\d+ turns?, \d+ results?, [\d.]+ k? ?tokens[\s\S]*\/file-\d\.txt/);
        await counts(page.locator(".item.user"), 4, "what was summed up is still there");
        await openInspector();
        await section("Context").locator("summary", { hasText: "Last compaction" }).click();
        await section("Context").getByText(/are in the log only/).waitFor();
        await clean("a compaction");
    });

    check("what fills the context leads to its messages", async ({ page, section, say, send, ended, openInspector }) => {
        await say("READ THEM please");
        await ended();
        for (let n = 2; n <= 4; n++) { await send(`READ THEM please, number ${n}`); await ended(n); }
        await openInspector();
        const results = section("Context").locator("details", { hasText: "Results of tools" });
        await results.locator("summary").click();
        await results.getByRole("button", { name: "read" }).first().click();
        await page.locator(".slot.marked .card", { hasText: /file-\d\.txt/ }).waitFor();
        const talk = section("Context").locator("details", { hasText: "Conversation" });
        await talk.locator("summary").focus();
        await page.keyboard.press("Enter");
        await talk.getByRole("button", { name: "READ THEM please", exact: true }).focus();
        await page.keyboard.press("Enter");
        const inView = (text) => page.waitForFunction((t) => {
            const slot = document.querySelector(".slot.marked"), box = document.querySelector(".log").getBoundingClientRect(), at = slot?.getBoundingClientRect();
            return slot && slot.innerText.trim().startsWith(t) && at.top >= box.top && at.top < box.bottom;
        }, text);
        await inView("READ THEM please");
        await page.getByRole("button", { name: /^Context \d+ percent full/ }).click();
        const popover = page.getByRole("dialog", { name: "Context" });
        await popover.locator("summary", { hasText: "Conversation" }).click();
        await popover.getByRole("button", { name: "READ THEM please, number 4" }).click();
        await inView("READ THEM please, number 4");
        await popover.waitFor({ state: "detached" });
        await focusIs(page.locator(".log"));
    });

    check("a plan is sent back with a word, then approved, and the mode is what was chosen", async ({ server, page, say, ended, mode, clean }) => {
        await mode("plan");
        await say("PLAN IT please");
        const question = page.locator(".question[data-kind=plan][data-armed]");
        await question.filter({ hasText: "the wrong place" }).waitFor();
        await clean("a plan");
        await question.getByRole("button", { name: "No, change this…" }).click();
        await page.keyboard.type("To /planned.md");
        await page.keyboard.press("Enter");
        await question.filter({ hasText: "Write /planned.md." }).waitFor();
        await becomes(() => page.getByRole("combobox", { name: "Mode", exact: true }).inputValue(), "plan");
        await question.getByRole("button", { name: /Approve, and accept edits/ }).click();
        await ended();
        await page.locator(".item.assistant", { hasText: "It is done as planned." }).waitFor();
        await becomes(() => page.getByRole("combobox", { name: "Mode", exact: true }).inputValue(), "accept-edits");
        assert.equal(readFileSync(join(server.root, "planned.md"), "utf8"), "as planned\n");
    });

    check("a budget that is used up ends the run by its name", async ({ page, section, say, send, ended, openInspector }) => {
        await say("Hello. (TWO CALLS please, later.)");
        await ended();
        await page.getByRole("button", { name: "Budget", exact: true }).click();
        const form = page.getByRole("dialog", { name: "Budget" });
        await page.waitForSelector(".budget input:not([disabled])");
        await form.getByLabel("Tool calls").fill("1");
        await page.keyboard.press("Enter");
        await form.waitFor({ state: "detached" });
        await send("Now.");
        await ended(2);
        await says(page.locator(".item.end").last(), /^Out of calls \(budget\)/);
        await says(page.locator(".notice.warn"), /budget/);
        await openInspector();
        await section("Budget").getByText("Calls of tools").waitFor();
        await section("Usage").locator("summary", { hasText: "By run" }).click();
        await section("Usage").getByText("calls limit").waitFor();
    });
});
