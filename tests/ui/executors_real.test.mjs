// Executors on the real server: their branches with what becomes of them, those below others, and stopping them.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { becomes, counts, focusIs, says } from "./expect.mjs";
import { onReal } from "./real.mjs";

const call = (tool, input) => ({ tool, input });
const agent = (description, prompt, more = {}) => call("Agent", { description, prompt, agent: "build", ...more });
const branch = (description, prompt) => ({ text: "One of us works on a branch.", calls: [agent(description, prompt, { isolation: "worktree" })] });
const ask = (question) => ({ text: "I ask.", calls: [call("AskUserQuestion", { questions: [{ question, header: "Next", options: [{ label: "Go on", description: "with the next file" }, { label: "Stop", description: "here" }] }] })] });
const write = (path, content) => call("write", { file_path: path, content });
const change = (n, to) => call("edit", { file_path: `/file-${n}.txt`, old_string: `content of file ${n}`, new_string: to });
const forever = { text: "This never comes.", stall_ms: 3_600_000 };
const script = { window: 32768, tools: true, turns: [{ text: "I have no script for this message." }], when: [
    { contains: "CLASH please", turns: [branch("Change two files", "CHANGE TWO"), { text: "They are changed." }] },
    { contains: "CHANGE TWO", turns: [{ calls: [1, 2].map((n) => call("read", { file_path: `/file-${n}.txt` })) }, { calls: [change(1, "theirs"), change(2, "theirs")] }, { text: "Both are changed." }] },
    { contains: "THROW AWAY please", turns: [branch("Write what nobody wants", "WRITE NOTHING GOOD"), { text: "It is written." }] },
    { contains: "WRITE NOTHING GOOD", turns: [{ calls: [write("/nobody.md", "nothing\n")] }, { text: "Written." }] },
    { contains: "STEP BY STEP please", turns: [branch("Write in steps", "WRITE IN STEPS"), { text: "All steps are done." }] },
    { contains: "WRITE IN STEPS", turns: [{ calls: [write("/one.md", "one\n")] }, ask("Is the first file enough?"), { calls: [write("/two.md", "two\nlines\n")] }, ask("Are two files enough?"), { text: "Two files." }] },
    { contains: "ALL AT ONCE please", turns: [{ text: "Three of us.", calls: ["FIRST", "SECOND", "THIRD"].map((n) => agent(`The ${n.toLowerCase()} one`, `STALL ${n}`, { background: true })) }, { text: "They are at work." }, { text: "They were stopped." }] },
    { contains: "STALL ", turns: [forever] },
    { contains: "LAYERS please", turns: [{ text: "One leads.", calls: [agent("Lead the others", "LEAD THEM")] }, { text: "The lead is back." }] },
    { contains: "LEAD THEM", turns: [{ text: "One below me.", calls: [agent("Dig deep", "DIG DEEP")] }, { text: "The digging has ended." }] },
    { contains: "DIG AGAIN", turns: Array(2).fill({ text: "I dug again." }) },
    { contains: "DIG DEEP", turns: [forever] },
] };

onReal("executors on the real server", { script }, (check) => {
    const repository = (git) => {
        try { git("rev-parse", "HEAD"); } catch { git("init", "-q", "-b", "main"); git("add", "."); git("commit", "-q", "-m", "first"); }
    };

    check("a merge that meets a conflict says where, changes nothing, and the branch is kept", async ({ server, page, section, say, ended, openInspector, git, mode, clean }) => {
        repository(git);
        await mode("accept-edits");
        await say("CLASH please");
        await ended();
        writeFileSync(join(server.root, "file-1.txt"), "mine\n");
        git("commit", "-qam", "mine");
        const head = git("rev-parse", "HEAD");
        await openInspector();
        const row = section("Executors").locator(".worktree");
        await row.getByText("2 files +2 −2 for main").waitFor();
        await row.getByRole("button", { name: /^Merge/ }).click();
        const alert = row.getByRole("alert");
        await alert.waitFor();
        await says(alert, /both sides/i);
        await becomes(() => alert.locator("li").allInnerTexts(), ["file-1.txt"]);
        await becomes(() => row.getAttribute("data-state"), "conflict");
        assert.deepEqual([git("rev-parse", "HEAD"), git("status", "--porcelain"), readFileSync(join(server.root, "file-2.txt"), "utf8")], [head, "", "content of file 2\n"], "nothing is half applied");
        await clean("a conflict");
        await page.reload();
        await openInspector();
        await row.getByText("conflicts, nothing was merged").waitFor();
        await row.getByRole("button", { name: /^Keep/ }).click();
        await section("Executors").locator(".worktree[data-state=kept]").waitFor();
        const name = await row.locator("code").innerText();
        assert.equal(git("show", `${name}:file-2.txt`), "theirs");
        await counts(row.getByRole("button"), 0, "nothing is left to decide");
    });

    check("a branch is discarded when it was asked twice", async ({ page, section, say, ended, openInspector, git, mode }) => {
        repository(git);
        await mode("accept-edits");
        await say("THROW AWAY please");
        await ended();
        await openInspector();
        const row = section("Executors").locator(".worktree"), sure = row.getByRole("group", { name: "Discard 1 changed file?" });
        const name = await row.locator("code").innerText();
        await row.getByRole("button", { name: "Discard" }).click();
        await sure.waitFor();
        await page.keyboard.press("Escape");
        await sure.waitFor({ state: "detached" });
        await focusIs(row.getByRole("button", { name: "Discard" }), "the focus is where it was");
        assert.equal(git("show", `${name}:nobody.md`), "nothing");
        await page.keyboard.press("Enter");
        await page.keyboard.press("Enter");
        await section("Executors").locator(".worktree[data-state=discarded]").waitFor();
        assert.equal(git("branch", "--list", name), "");
    });

    check("what an executor has changed is counted while it works, and its questions are answered from its manager's page", async ({ page, section, say, ended, openInspector, git, mode }) => {
        repository(git);
        await mode("accept-edits");
        await say("STEP BY STEP please");
        await openInspector();
        const row = section("Executors").locator(".worktree"), question = page.locator(".asking .question[data-armed]");
        await question.filter({ hasText: "Is the first file enough?" }).waitFor();
        await row.getByText("1 file +1 −0").waitFor();
        await becomes(() => row.getAttribute("data-state"), "active");
        assert.equal(await row.getByRole("button", { name: /^(Merge|Keep)/ }).count(), 0, "not while it works");
        await question.getByRole("button", { name: /Go on/ }).click();
        await question.filter({ hasText: "Are two files enough?" }).waitFor();
        await row.getByText("2 files +3 −0").waitFor();
        await row.getByRole("button", { name: /^Changes of/ }).click();
        await row.locator("pre.diff .add", { hasText: "lines" }).waitFor();
        await page.keyboard.press("Escape"); // not on the question: it would stop the run
        await ended();
        await section("Executors").locator("[data-state=stopped]").first().waitFor();
        await row.getByText("ready to merge").waitFor();
        await row.getByText("2 files +3 −0").waitFor();
        await counts(page.locator(".asking"), 0);
    });

    check("all executors are stopped at once, and the manager goes on", async ({ page, section, say, ended, openInspector }) => {
        await say("ALL AT ONCE please");
        await openInspector();
        const tree = section("Executors");
        await tree.getByText("3 of 3 executors at work").waitFor();
        await tree.getByRole("button", { name: "Stop all" }).click();
        await tree.getByText(/^3 executors/).waitFor();
        await counts(tree.locator(".tree > li[data-state=stopped]"), 3);
        await counts(tree.getByRole("button", { name: /^Stop/ }), 0);
        await ended();
        await page.locator(".item.assistant", { hasText: "They were stopped." }).waitFor();
    });

    check("an executor of an executor stands below it, is opened, messaged and stopped", async ({ page, section, say, ended, openInspector, hash, go }) => {
        await say("LAYERS please");
        const manager = await hash();
        await openInspector();
        const tree = section("Executors"), below = tree.locator(".tree .tree > li");
        await below.getByText("Dig deep").waitFor();
        await says(tree.locator(".tree > li").first(), /Lead the others[\s\S]*Dig deep/);
        await tree.getByRole("link", { name: "Open Dig deep" }).click();
        await page.locator(".item.user", { hasText: "DIG DEEP" }).waitFor();
        await page.locator(".to-manager", { hasText: "Lead the others" }).click();
        await page.locator(".to-manager", { hasText: "LAYERS please" }).click();
        await page.waitForFunction((h) => location.hash === h, manager);
        await below.getByRole("button", { name: "Message Dig deep" }).click();
        await page.keyboard.type("DIG AGAIN");
        await page.keyboard.press("Enter");
        await tree.locator(".instead").waitFor({ state: "detached" });
        await below.getByRole("button", { name: "Stop Dig deep" }).click();
        await ended();
        await page.locator(".item.assistant", { hasText: "The lead is back." }).waitFor();
        await tree.locator(".tree .tree > li[data-state=stopped]").waitFor();
        await go(await below.getByRole("link", { name: "Open Dig deep" }).getAttribute("href"));
        const queue = page.getByRole("list", { name: "Waiting to be sent" });
        await queue.getByText("DIG AGAIN").waitFor(); // said to one that was stopped: it waits
        await queue.getByRole("button", { name: "Send now" }).click();
        await page.locator(".item.assistant", { hasText: "I dug again." }).waitFor();
    });
});
