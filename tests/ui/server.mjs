// The server under test: the real binary with the scripted model when BOXAGNTS and SCRIPTED_ENDPOINT name them, else the mock.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const real = Boolean(process.env.BOXAGNTS);

/** Starts a program and gives the first line of its output that matches. */
function started(command, args, pattern, options = {}) {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    let said = "";
    child.stderr.on("data", (d) => { said += d; });
    return new Promise((done, fail) => {
        createInterface(child.stdout).on("line", (line) => {
            said += `${line}\n`;
            const found = pattern.exec(line);
            if (found) done({ child, found: found[1] });
        });
        child.on("error", fail);
        child.on("exit", (code) => fail(new Error(`${command} ended with ${code}:\n${said}`)));
    });
}

const ended = (child) => new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done();
    child.removeAllListeners("exit");
    child.on("exit", done);
    child.kill("SIGTERM");
});

async function startMock(args) {
    const { child, found } = await started(process.execPath, [join(here, "../../ui/dev/mock.mjs"), process.env.PAGE_DIST, ...args], /(http:\S+)/);
    return { url: found, child, root: null, stop: () => ended(child) };
}

/** `script`: a file's name, or the script itself; `window`: of the model, in tokens; `before`: is given the workspace's folder before the server starts. */
export async function startReal({ script = "script.json", window = 32768, before } = {}) {
    const folder = mkdtempSync(join(tmpdir(), "boxagnts-page-"));
    const workspace = join(folder, "workspace"), root = join(folder, "orchard");
    mkdirSync(join(workspace, ".boxagnts"), { recursive: true });
    mkdirSync(root);
    for (let i = 1; i <= 8; i++) writeFileSync(join(root, `file-${i}.txt`), `content of file ${i}\n`);
    writeFileSync(join(root, "<img src=x onerror=window.pwned=1>.txt"), JSON.parse(readFileSync(join(here, "script.json"))).when.find((w) => w.contains === "BREAK THE PAGE").turns[0].text);
    const scriptFile = typeof script === "string" ? resolve(here, script) : join(folder, "script.json");
    if (typeof script !== "string") writeFileSync(scriptFile, JSON.stringify(script));
    const model = await started(process.env.SCRIPTED_ENDPOINT, [scriptFile], /listening (\d+)/);
    writeFileSync(join(workspace, ".boxagnts", "settings.json"), JSON.stringify({ providers: { scripted: { base_url: `http://127.0.0.1:${model.found}/v1`, models: [{ id: "m", window }] } }, model: "scripted/m" }));
    await before?.(workspace, root);
    const serve = (port = "0") => started(process.env.BOXAGNTS, ["serve", "--workspace-dir", workspace, "--root", root, "--port", port], /(http:\S+)/);
    let server = await serve();
    return { url: server.found, root, workspace, child: server.child,
        end: () => ended(server.child),
        restart: async (port) => { await ended(server.child); server = await serve(port); return server.found; },
        stop: async () => { await ended(server.child); await ended(model.child); rmSync(folder, { recursive: true, force: true }); } };
}

export const start = (...args) => (real ? startReal() : startMock(args));
