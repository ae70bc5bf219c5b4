import type { LimitInfo, ToolInfo } from "../types.ts";
import { bytes, count, millis } from "../words.ts";

const origin: Record<string, string> = { default: "default", descriptor: "the tool's own wish", settings: "settings.json", session: "this session", call: "this call" };

export function limitText(limit: LimitInfo, value = limit.value): string {
    return limit.unit === "ms" ? millis(value) : limit.unit === "bytes" ? bytes(value) : count(value);
}

/** Every limit of a call with its value and where that came from. */
export function ToolLimits({ tool }: { tool: ToolInfo }) {
    const limits = Object.entries(tool.limits);
    if (limits.length === 0) return null;
    return <section aria-label="Limits"><h3>Limits of each call</h3>
        <table class="limit-table"><thead><tr><th>Limit</th><th>Value</th><th>From</th></tr></thead>
            <tbody>{limits.map(([name, limit]) => <tr key={name}>
                <td><code>{name}</code>{limit.what ? <span class="muted small"> {limit.what}</span> : null}</td>
                <td>{name === "fuel" && limit.value === 0 ? "by cpu" : limitText(limit)}</td>
                <td class={limit.from === "default" ? "muted" : ""}>{origin[limit.from] ?? limit.from}</td></tr>)}</tbody></table>
    </section>;
}
