import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { levels } from "../levels.ts";
import { Icon } from "../icon.tsx";
import { attempt } from "../state.ts";
import type { ToolDetail, ToolInfo } from "../types.ts";
import { Markdown } from "./markdown.tsx";
import { ToolCalls } from "./tool_calls.tsx";
import { ToolLimits } from "./tool_limits.tsx";
import { ToolReach } from "./tool_reach.tsx";
import { TryTool } from "./tool_try.tsx";

const kinds: Record<string, string> = { native: "part of the program", box: "WebAssembly, in the sandbox", mcp: "on an MCP server", remote: "a request to an address" };

/** One tool in full: what it is, a form to try it, its limits, its last calls. */
export function ToolView({ tool }: { tool: ToolInfo }) {
    const [detail, setDetail] = useState<ToolDetail>(tool);
    useEffect(() => { void attempt(async () => setDetail(await api.tool(tool.name))); }, [tool]);
    const [icon, level] = levels[tool.level] ?? ["box", tool.level];
    return <article class="tool-view" aria-label={tool.name}>
        <h2><Icon name={icon} label={level} /> {tool.name}</h2>
        <dl class="facts">
            <dt>Level</dt><dd>{level} <span class="muted">({tool.level})</span></dd>
            <dt>Kind</dt><dd>{kinds[tool.kind] ?? tool.kind}</dd>
            <dt>From</dt><dd class="path">{tool.source}</dd>
            {tool.digest ? <><dt>Digest</dt><dd class="path" title={tool.digest}>{tool.digest.slice(0, 16)}</dd></> : null}
        </dl>
        <Markdown text={tool.description} live={false} />
        <TryTool tool={tool} />
        <ToolLimits tool={detail} changed={setDetail} />
        <ToolReach tool={detail} />
        <ToolCalls tool={tool} />
        <details class="fold"><summary>Input schema</summary><pre class="plain" tabindex={0}>{JSON.stringify(tool.input_schema, null, 2)}</pre></details>
    </article>;
}
