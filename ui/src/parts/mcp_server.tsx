import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { Icon } from "../icon.tsx";
import { app, attempt, change, loadTools } from "../state.ts";
import type { Json, McpServer, McpText, McpTool } from "../types.ts";

export const states: Record<McpServer["state"], [text: string, tone: string]> = { idle: ["starts when it is needed", ""], starting: ["starting", "wait"], up: ["up", "ok"], failed: ["failed", "stop"],
    disabled: ["disabled", ""], unapproved: ["waits for your approval", "wait"], broken: ["its entry is broken", "stop"] };
const toolStates: Record<McpTool["state"], string> = { ok: "", changed: "has changed: not called before you approve it", unapproved: "new: not there before you approve it", gone: "the server has it no more" };

async function doAndReload(action: () => Promise<{ servers: McpServer[] }>): Promise<void> {
    await attempt(async () => {
        const { servers } = await action();
        change(() => { app.servers = servers; });
        await loadTools();
    });
    await attempt(loadTools); // what failed changed the state, too
}

/** One MCP server: its state, what it says about its tools, and what is done with it. */
export function McpServerView({ server }: { server: McpServer }) {
    const [text, tone] = states[server.state] ?? [server.state, ""];
    const [busy, setBusy] = useState(false);
    const act = (action: () => Promise<{ servers: McpServer[] }>) => { setBusy(true); void doAndReload(action).finally(() => setBusy(false)); };
    const login = () => attempt(async () => { window.open((await api.mcpLogin(server.name)).url, "_blank", "noopener"); });
    const waits = server.state === "unapproved" || server.tools.some((t) => t.state === "changed" || t.state === "unapproved");
    return <article class="tool-view" aria-label={server.name}>
        <h2>{server.name} <span class={`server-state ${tone}`}>{text}</span></h2>
        <dl class="facts">
            <dt>Runs</dt><dd class="path">{server.what}</dd>
            {server.state === "unapproved" && server.entry ? <><dt>As written</dt><dd><pre class="plain" tabindex={0}>{JSON.stringify(server.entry, null, 2)}</pre></dd></> : null}
            <dt>Over</dt><dd>{server.transport}{server.protocol ? `, protocol ${server.protocol}` : ""}</dd>
            <dt>From</dt><dd>{server.from}{server.from === ".mcp.json" ? <span class="muted"> · whoever made the folder wrote it</span> : null}</dd>
            {server.server ? <><dt>Calls itself</dt><dd>{server.server}</dd></> : null}
            {server.level ? <><dt>Level of its tools</dt><dd>{server.level}{server.trusted ? ", trusted" : ""}</dd></> : null}
        </dl>
        {server.error ? <p class="notice stop" role="alert"><Icon name="triangle" size={14} label="Error" /> <span>{server.error}</span></p> : null}
        <div class="choices">
            {waits ? <Approve kind="primary" digest={server.digest} busy={busy} approve={() => act(() => api.mcpApprove(server.name, server.digest))}>{server.state === "unapproved" ? "Approve and start" : "Approve all that it says now"}</Approve> : null}
            {server.state === "unapproved" || server.state === "disabled" || server.state === "broken" ? null : <button type="button" disabled={busy} onClick={() => act(() => api.mcpRestart(server.name))}>{busy ? "Working…" : "Restart"}</button>}
            {server.transport === "stdio" ? null : server.signed_in ? <button type="button" onClick={() => act(() => api.mcpLogout(server.name))}>Sign out</button> : <button type="button" onClick={() => void login()}>Sign in…</button>}
            {server.from === "settings" ? <button type="button" class="quiet" onClick={() => { act(() => api.mcpRemove(server.name)); location.hash = "#/tools"; }}>Remove</button> : null}
        </div>
        <section aria-label="Its tools"><h3>Its tools</h3>
            {server.tools.length === 0 ? <p class="muted small">None is known yet.</p> : <ul class="mcp-tools">{server.tools.map((t) => <li key={t.name}>
                {t.state === "ok" || t.state === "changed" ? <a href={`#/tools/${t.tool}`}><code>{t.name}</code></a> : <code>{t.name}</code>}
                {t.state === "ok" ? <span class="muted small">{t.description.split("\n", 1)[0]}</span> : <span class="changed small">{toolStates[t.state]}</span>}
                {t.state === "changed" ? <><TwoTexts approved={t.approved} now={t.now} />
                    <Approve kind="small-button" digest={t.digest} busy={busy} approve={() => act(() => api.mcpApprove(server.name, t.digest, t.name))}>Approve the new one</Approve></> : null}
                {t.state === "unapproved" && t.now ? <pre class="plain" tabindex={0}>{words(t.now)}</pre> : null}
            </li>)}</ul>}
        </section>
        {server.stderr ? <details class="fold"><summary>What it wrote to standard error</summary><pre class="plain" tabindex={0}>{server.stderr}</pre></details> : null}
    </article>;
}

const readAfter = 1500;

/** A yes to what stands beside it. When that becomes another text under the reader's eyes, a click that was meant for the one before does nothing. */
function Approve({ kind, digest, busy, approve, children }: { kind: string; digest: string; busy: boolean; approve: () => void; children: string }) {
    const [shown, setShown] = useState(digest);
    useEffect(() => {
        const timer = setTimeout(() => setShown(digest), readAfter);
        return () => clearTimeout(timer);
    }, [digest]);
    return <button type="button" class={kind} disabled={busy || shown !== digest} onClick={approve}>{children}</button>;
}

const words = (t: McpText) => `${t.description ?? ""}\n\n${JSON.stringify(t.inputSchema ?? {}, null, 2)}`.trim();

/** A description as it was approved, and as it is said now. */
export function TwoTexts({ approved, now }: { approved?: McpText; now?: McpText }) {
    return <div class="two-texts"><div><p class="label">Approved</p><pre class="plain" tabindex={0}>{approved ? words(approved) : "nothing"}</pre></div>
        <div><p class="label">Now</p><pre class="plain" tabindex={0}>{now ? words(now) : "nothing"}</pre></div></div>;
}

/** A command or an address becomes an entry of mcpServers in settings.json. */
export function NewServer() {
    const [name, setName] = useState("");
    const [what, setWhat] = useState("");
    const add = () => attempt(async () => {
        const text = what.trim();
        const [command, ...args] = text.match(/"[^"]*"|'[^']*'|\S+/g)!.map((w) => w.replace(/^(["'])(.*)\1$/, "$2"));
        const entry: Json = text.startsWith("{") ? (JSON.parse(text) as Json) : /^https?:\/\//.test(text) ? { url: text } : { command: command!, args };
        const { servers } = await api.mcpPut(name.trim(), entry);
        change(() => { app.servers = servers; });
        location.hash = `#/mcp/${encodeURIComponent(name.trim())}`;
        await loadTools();
    });
    return <article class="tool-view" aria-label="A new MCP server"><h2>A new MCP server</h2>
        <p class="muted">It is written to settings.json and started when one of its tools is needed. Its programs run on this machine with your rights, outside of the sandbox: add only what you trust.</p>
        <form class="stack" onSubmit={(e) => { e.preventDefault(); if (name.trim() && what.trim()) void add(); }}>
            <div class="field"><label for="mcp-name">Name</label><input id="mcp-name" value={name} spellcheck={false} placeholder="files" onInput={(e) => setName(e.currentTarget.value)} /></div>
            <div class="field"><label for="mcp-what">Command, address, or its JSON</label>
                <textarea id="mcp-what" class="code-field" rows={3} value={what} spellcheck={false} placeholder="npx -y @modelcontextprotocol/server-filesystem .  ·  https://mcp.example.org/mcp" onInput={(e) => setWhat(e.currentTarget.value)} /></div>
            <div class="choices"><button type="submit" class="primary" disabled={!name.trim() || !what.trim()}>Add</button></div>
        </form></article>;
}
