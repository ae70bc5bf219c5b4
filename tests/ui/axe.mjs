// What axe finds wrong on a page, in both themes: nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** `within`: selectors of the parts that are looked at, else the whole page; `dark`: options of the second look. Leaves the page light. */
export async function faultless(page, what, { within = null, dark = {}, reducedMotion = null } = {}) {
    if (!await page.evaluate(() => "axe" in window)) await page.evaluate(axe);
    for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const result = await page.evaluate(([parts, more]) => window.axe.run(parts ? { include: parts.filter((s) => document.querySelector(s)).map((s) => [s]) } : document, { resultTypes: ["violations"], ...more }),
            [within, { ...(within ? { preload: false } : {}), ...(colorScheme === "dark" ? dark : {}) }]);
        assert.deepEqual(result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html} ${n.failureSummary}`).join(" | ")}`), [], `${what}, ${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: "light", reducedMotion });
}
