// What a page says in the end: it draws in its own time, so each of these looks again until it is as asked, and fails with what was there.
import assert from "node:assert/strict";

const patience_ms = 60_000, pause_ms = 20;

/** Gives what `look` gave when `check` took it without throwing. */
async function eventually(look, check) {
    for (const until = performance.now() + patience_ms; ;) {
        const seen = await look();
        try {
            check(seen);
            return seen;
        } catch (fault) {
            if (performance.now() > until) throw fault;
        }
        await new Promise((done) => setTimeout(done, pause_ms));
    }
}

export const becomes = (look, value, why) => eventually(look, (seen) => assert.deepEqual(seen, value, why));
export const holds = (look, why) => eventually(look, (seen) => assert.ok(seen, why));
export const matches = (look, pattern, why) => eventually(look, (text) => assert.match(text, pattern, why));
export const says = (locator, pattern, why) => matches(() => locator.innerText(), pattern, why);
export const counts = (locator, n, why) => becomes(() => locator.count(), n, why);
export const focusIs = (locator, why) => holds(() => locator.evaluate((el) => el === document.activeElement), why);
