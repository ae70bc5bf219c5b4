// A headless Chromium that tells what a page did wrong: console errors, policy reports, requests that leave the origin.
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const launch = () => chromium.launch({ executablePath, args, headless: true });

/** PAGE_SLOW=N: the page as on a machine N times slower, and an answer of the server N times 20 ms later: what a test takes for granted shows. */
const slow = Number(process.env.PAGE_SLOW ?? 1);
async function slowDown(context, page) {
    const devtools = await context.newCDPSession(page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: slow });
    await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 20 * slow, downloadThroughput: -1, uploadThroughput: -1 });
}

/** A fresh profile. `faults` collects what must stay empty. */
export async function visit(browser, { width = 1440, height = 900, colorScheme = "light", scale = 1, touch = false, faults = [], ...more } = {}) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: scale, hasTouch: touch, ...more });
    await context.addInitScript(() => {
        window.reports = [];
        document.addEventListener("securitypolicyviolation", (e) => window.reports.push(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
    });
    context.setDefaultTimeout(60_000); // nothing here measures time
    const page = await context.newPage();
    if (slow > 1) await slowDown(context, page);
    watch(page, faults);
    return { context, page, faults };
}

export function watch(page, faults) {
    page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") faults.push(`console: ${m.text()}`); });
    page.on("pageerror", (e) => faults.push(`error: ${e.message}`));
    page.on("request", (r) => {
        const url = new URL(r.url());
        if (url.protocol === "data:" || url.protocol === "blob:") return;
        if (url.hostname !== "127.0.0.1" || (page.origin && url.origin !== page.origin)) faults.push(`request leaves: ${r.url()}`);
    });
}
