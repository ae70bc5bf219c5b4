import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { attempt } from "../state.ts";
import type { ReceiptLine, ToolInfo } from "../types.ts";
import { ago, exact, millis } from "../words.ts";

const tone: Record<string, string> = { ok: "ok", error: "warn", stopped: "warn", denied: "stop", failed: "stop", crashed: "stop" };

/** The tool's last receipts, newest first; each can be read as it is on the disk. */
export function ToolCalls({ tool }: { tool: ToolInfo }) {
    const [lines, setLines] = useState<ReceiptLine[] | null>(null);
    useEffect(() => { void attempt(async () => setLines((await api.receipts(tool.name)).receipts)); }, [tool.name]);
    return <section aria-label="Last calls"><h3>Last calls <button type="button" class="quiet" onClick={() => { void attempt(async () => setLines((await api.receipts(tool.name)).receipts)); }}>Read again</button></h3>
        {lines === null ? null : lines.length === 0 ? <p class="muted small">None is on record.</p>
            : <ul class="calls">{lines.map((r) => <li key={r.id}><details class="fold"><summary>
                <span class={`verdict ${tone[r.verdict] ?? ""}`}>{r.limit ? `${r.limit} limit` : r.verdict}</span>
                <span class="card-time">{r.used?.wall_us === undefined ? "" : millis(r.used.wall_us / 1000)}</span>
                <span class="muted" title={exact(r.t)}>{ago(r.t)}</span>{r.reason ? <span class="muted reason">{r.reason}</span> : null}</summary>
                <pre class="plain" tabindex={0}>{JSON.stringify(r, null, 2)}</pre></details></li>)}</ul>}
    </section>;
}
