import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import type { View } from "../fold.ts";
import { attempt } from "../state.ts";
import type { SessionUsage } from "../types_runtime.ts";
import { ago, count, exact, millis, money, plural } from "../words.ts";

export function useUsage(view: View): SessionUsage | null {
    const [usage, setUsage] = useState<SessionUsage | null>(null);
    useEffect(() => {
        const timer = setTimeout(() => void attempt(async () => setUsage(await runtimeApi.usage(view.id))), usage ? 400 : 0);
        return () => clearTimeout(timer);
    }, [view.id, view.side.contextRev, view.running]);
    return usage;
}

const cost = (n: number | null | undefined) => (n === null || n === undefined ? "no price known" : money(n));
const ends: Record<string, string> = { done: "done", stopped: "stopped", error: "failed", interrupted: "interrupted" };

/** What the session used: in sum, by model, by tool, by run. */
export function UsageSection({ usage }: { usage: SessionUsage | null }) {
    if (!usage) return null;
    const { input_tokens: input, output_tokens: output, cached_tokens: cached, executors: below } = usage;
    return <section aria-label="Usage"><h3>Usage</h3>
        <dl><dt>Cost</dt><dd>{usage.cost === null ? <span class="muted">no price known</span> : money(usage.cost)}</dd>
            <dt>Tokens in</dt><dd>{count(input)}{cached ? <span class="muted"> ({count(cached)} from cache)</span> : null}</dd><dt>Tokens out</dt><dd>{count(output)}</dd>
            <dt>Turns, calls</dt><dd>{count(usage.turns)}, {count(usage.calls)}</dd><dt>Time</dt><dd>{millis(usage.ms)}</dd>
            {below?.sessions ? <><dt>{below.sessions === 1 ? "Its executor" : `Its ${below.sessions} executors`}, beside</dt><dd>{count(below.input_tokens + below.output_tokens)} tokens{below.cost === null ? "" : `, ${money(below.cost)}`}</dd></> : null}</dl>
        {usage.by_model.length ? <details class="fold"><summary>By model</summary><table class="usage-table"><thead><tr><th scope="col">Model</th><th scope="col">Tokens</th><th scope="col">Cost</th></tr></thead>
            <tbody>{usage.by_model.map((m) => <tr key={m.model}><td class="path">{m.model}</td><td>{count((m.input_tokens ?? 0) + (m.output_tokens ?? 0))}</td><td>{m.cost === null || m.cost === undefined ? "–" : money(m.cost)}</td></tr>)}</tbody></table></details> : null}
        {usage.by_tool.length ? <details class="fold"><summary>By tool</summary><table class="usage-table"><thead><tr><th scope="col">Tool</th><th scope="col">Calls</th><th scope="col">Failed</th><th scope="col">Time</th></tr></thead>
            <tbody>{[...usage.by_tool].sort((a, b) => b.calls - a.calls).map((t) => <tr key={t.tool}><td class="path">{t.tool}</td><td>{t.calls}</td><td>{t.errors || "–"}</td><td>{millis(t.ms)}</td></tr>)}</tbody></table></details> : null}
        {usage.runs.length ? <details class="fold"><summary>By run</summary><ul class="usage-runs">{[...usage.runs].reverse().slice(0, 100).map((r) => <li key={r.run}><span title={exact(r.t)}>{ago(r.t)}</span>
            <span>{r.reason === null ? "at work" : ends[r.reason] ?? `${r.reason} limit`}</span><span class="muted">{plural(r.turns, "turn")} · {count(r.input_tokens + r.output_tokens)} tokens · {cost(r.cost)} · {millis(r.ms)}</span></li>)}
            {usage.runs.length > 100 ? <li class="muted">and {usage.runs.length - 100} earlier ones</li> : null}</ul></details> : null}
    </section>;
}
