import { useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { levels } from "../levels.ts";
import { app, openTool, showList, useApp } from "../state.ts";
import type { McpServer, ToolInfo } from "../types.ts";
import { plural } from "../words.ts";
import { Markdown } from "./markdown.tsx";
import { McpServerView, NewServer, states } from "./mcp_server.tsx";
import { ToolView } from "./tool_view.tsx";

const groups: [title: string, says: string, has: (t: ToolInfo) => boolean][] = [
    ["Yours", "WebAssembly files in the tools' folders", (t) => t.kind === "box" && t.source !== "built in"],
    ["In the sandbox", "part of the program, each call in a box of its own", (t) => t.kind === "box"],
    ["From MCP servers", "their descriptions come from outside", (t) => t.kind === "mcp"],
    ["Remote", "requests to an address", (t) => t.kind === "remote"],
    ["The program's own", "they touch no file, no network and no program", (t) => t.kind === "native"],
];

/** All tools by where they come from, and one of them in full. */
export function ToolsPage() {
    const { tools, tool, server, servers } = useApp(() => [app.tools, app.tool, app.server, app.servers, app.listHidden]);
    const [query, setQuery] = useState("");
    const shown = servers.find((s) => s.name === server);
    const chosen = tools?.tools.find((t) => t.name === tool) ?? null;
    return <main class={`chat tools-page ${tool || server !== null ? "with-tool" : ""}`} aria-label="Tools">
        <header class="chat-head">
            <button type="button" class={`icon-button ${app.listHidden ? "" : "only-narrow"}`} title="Show sessions" aria-label="Show sessions" onClick={() => showList(true)}><Icon name="menu" /></button>
            {tool || server !== null ? <button type="button" class="icon-button back only-narrow" aria-label="All tools" onClick={() => openTool(null)}><Icon name="chevron" /></button> : null}
            <h1>Tools</h1>
            <a class="to-chat" href={app.current ? `#/s/${app.current}` : "#"}>Back to the conversation</a>
        </header>
        <div class="tools-body">
            <nav class="tool-list" aria-label="List of tools">
                <label class="search"><Icon name="search" size={14} /><input type="search" placeholder="Find a tool" aria-label="Find a tool" value={query} onInput={(e) => setQuery(e.currentTarget.value)} /></label>
                {tools ? <ToolList all={tools.tools} query={query} chosen={tool} /> : null}
                {tools ? <Servers servers={servers} chosen={server} /> : null}
                {tools?.settings_problem ? <p class="notice warn" role="alert"><Icon name="triangle" size={14} label="Settings" /> <span>{tools.settings_problem}</span></p> : null}
                {tools && tools.broken.length > 0 ? <Broken files={tools.broken} /> : null}
                {tools && tools.hidden.length > 0 ? <Hidden tools={tools.hidden} /> : null}
                <p class="muted small new-tool">A tool of your own: <code>boxagnts tool new NAME</code> writes a working example. What you put into the workspace's <code>tools</code> folder is here within a second.</p>
            </nav>
            <div class="tool-detail">
                {server === "" ? <NewServer /> : shown ? <McpServerView key={shown.name} server={shown} /> : chosen ? <ToolView key={chosen.name + (chosen.digest ?? "")} tool={chosen} /> : tool && tools ? <Missing name={tool} /> : <Overview count={tools?.tools.length ?? 0} />}
            </div>
        </div>
    </main>;
}

function ToolList({ all, query, chosen }: { all: ToolInfo[]; query: string; chosen: string | null }) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    let left = all.filter((t) => words.every((w) => `${t.name} ${t.description}`.toLowerCase().includes(w)));
    const rows = groups.map(([title, says, has]) => {
        const mine = left.filter(has);
        left = left.filter((t) => !has(t));
        return mine.length === 0 ? null : <section key={title} aria-label={title}><h2 title={says}>{title}</h2>
            <ul>{mine.map((t) => <Row key={t.name} tool={t} current={t.name === chosen} />)}</ul></section>;
    });
    return <>{rows}{rows.every((r) => r === null) ? <p class="empty">No tool has these words.</p> : null}</>;
}

function Row({ tool, current }: { tool: ToolInfo; current: boolean }) {
    const [icon, level] = levels[tool.level] ?? ["box", tool.level];
    return <li><a class={`tool-row ${current ? "current" : ""}`} href={`#/tools/${tool.name}`} aria-current={current ? "true" : undefined}>
        <Icon name={icon} size={14} label={level} /><span class="tool-name">{tool.name}</span><span class="tool-says">{tool.description.split(/[.\n]/, 1)[0]}</span></a></li>;
}

function Servers({ servers, chosen }: { servers: McpServer[]; chosen: string | null }) {
    return <section aria-label="MCP servers"><h2>MCP servers</h2>
        <ul>{servers.map((s) => {
            const changed = s.tools.some((t) => t.state === "changed" || t.state === "unapproved");
            const [text, tone] = changed && s.state !== "unapproved" ? ["has changed", "wait"] : states[s.state] ?? [s.state, ""];
            return <li key={s.name}><a class={`tool-row ${s.name === chosen ? "current" : ""}`} href={`#/mcp/${encodeURIComponent(s.name)}`} aria-current={s.name === chosen ? "true" : undefined}>
                <Icon name="plug" size={14} /><span class="tool-name">{s.name}</span><span class={`tool-says ${tone}`}>{text}</span></a></li>;
        })}</ul>
        <a class="tool-row" href="#/mcp" aria-current={chosen === "" ? "true" : undefined}><Icon name="plus" size={14} /><span>Add a server…</span></a></section>;
}

function Broken({ files }: { files: { path: string; reason: string }[] }) {
    return <section class="broken" aria-label="Broken"><h2>Broken</h2>
        <ul>{files.map((f) => <li key={f.path}><Icon name="triangle" size={14} /><div><code class="path">{f.path.split("/").pop()}</code><p class="small">{f.reason}</p></div></li>)}</ul></section>;
}

function Hidden({ tools }: { tools: { name: string; path: string; by: string }[] }) {
    return <section class="broken" aria-label="Hidden"><h2>Hidden</h2>
        <ul>{tools.map((t) => <li key={t.path + t.name}><Icon name="box" size={14} /><div><code class="path" title={t.path}>{t.name}</code><p class="small">{t.path === "built in" ? "The built-in one" : t.path} is hidden by {t.by}.</p></div></li>)}</ul></section>;
}

function Missing({ name }: { name: string }) {
    return <div class="tool-empty"><h2>There is no tool {name} now</h2><p class="muted">Its file was removed, its server is off, or it is broken: then the list says why.</p></div>;
}

function Overview({ count }: { count: number }) {
    return <div class="tool-empty"><h2>{count ? plural(count, "tool") : "Tools"}</h2>
        <Markdown live={false} text={"What a model may call, and what each call may use. Choose one to read its description, try it, and change its limits.\n\nEvery call passes the same permission check, has the same limits and leaves the same record, wherever the tool comes from."} /></div>;
}
