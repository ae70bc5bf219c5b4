import { mainArgument } from "../argument.ts";
import { Icon } from "../icon.tsx";
import { app, change, currentView, inspect, useApp } from "../state.ts";
import { changes, findCall, type Call, type View } from "../fold.ts";
import { bytes, exact } from "../words.ts";
import { BudgetSection, useDetail } from "./budget_section.tsx";
import { ContextSection } from "./context.tsx";
import { Executors } from "./executors.tsx";
import { LimitsStrip } from "./limits.tsx";
import { Inline } from "./markdown.tsx";
import { UsageSection, useUsage } from "./usage.tsx";

/** One call's record, or the session as a whole: the context and the files that it changed. */
export function Inspector() {
    const view = currentView();
    const { inspected } = useApp(() => [app.current, app.inspected, view?.rev]);
    const call = findCall(view, inspected);
    return <aside class="panel" aria-label="Inspector">
        <header>{call ? <button type="button" class="icon-button back" aria-label="Back to the session" onClick={() => inspect(null)}><Icon name="chevron" /></button> : null}
            <h2>{call ? `Receipt of ${call.tool}` : "This session"}</h2>
            <button type="button" class="icon-button" aria-label="Close" onClick={() => change(() => { app.panel = "none"; })}><Icon name="x" /></button></header>
        {call ? <Record call={call} /> : view ? <Overview key={view.id} view={view} /> : <p class="empty">Open a session to see what it did.</p>}
    </aside>;
}

function Overview({ view }: { view: View }) {
    const files = changes(view);
    const [detail, reload] = useDetail(view), usage = useUsage(view);
    return <>
        <Executors key={`x${view.id}`} view={view} />
        <ContextSection key={view.id} view={view} />
        <BudgetSection view={view} detail={detail} usage={usage} reload={reload} />
        <UsageSection usage={usage} />
        <section><h3>Files changed</h3>
            {files.length === 0 ? <p class="muted">None.</p> : <ul class="files">{files.map(({ call, path, added, removed }) => <li key={call.id}>
                <button type="button" class="quiet" onClick={() => inspect(call.id)}><span class="path">{path}</span>
                    <span class="added">+{added}</span><span class="removed">−{removed}</span></button></li>)}</ul>}
            {view.firstSeq > 1 ? <p class="muted">Of the messages that are loaded. Earlier ones come as you scroll up.</p> : null}
        </section>
    </>;
}

interface Mount { host?: string; guest?: string; writable?: boolean }

/** What it was granted, what it used, the verdict, and its place in the chain. */
function Record({ call }: { call: Call }) {
    const receipt = call.receipt;
    if (!receipt) return <p class="empty">This call has no receipt yet.</p>;
    const mounts = (receipt.granted?.mounts ?? []) as Mount[];
    const hosts = (receipt.granted?.hosts ?? []) as string[];
    const text = (name: string) => (typeof receipt[name] === "string" ? String(receipt[name]) : "");
    return <>
        <p class="path">{mainArgument(call.input)}</p>
        {call.decision ? <p><strong>{call.decision.allow ? "Allowed" : "Denied"}</strong> by {call.decision.by}: <Inline text={call.decision.reason} /></p> : null}
        <section><h3>Used, of what was allowed</h3><LimitsStrip call={call} /></section>
        {receipt.granted ? <section><h3>It could reach</h3><ul class="reach">
            {mounts.map((m, i) => <li key={i}><span class="path">{m.guest}</span> <span class="muted">{m.writable ? "read and write" : "read only"} · {m.host}</span></li>)}
            {mounts.length === 0 ? <li class="muted">no folder</li> : null}
            <li>{hosts.length ? hosts.join(", ") : <span class="muted">no network</span>}</li>
        </ul></section> : null}
        <section><h3>Record</h3><dl class="record">
            <dt>Verdict</dt><dd>{text("verdict") || (call.limit ? "stopped" : call.state)}{call.limit ? ` (${call.limit} limit)` : ""}</dd>
            <dt>Output</dt><dd>{bytes(receipt.used?.stdout_bytes ?? 0)}</dd>
            {call.endedAt ? <><dt>Time</dt><dd>{exact(new Date(call.endedAt).toISOString())}</dd></> : null}
            <dt>Id</dt><dd class="path">{text("id")}</dd>
            {["digest", "input_digest", "output_digest", "previous"].filter(text).map((name) => <><dt>{name.replace("_", " ")}</dt><dd class="path" title={text(name)}>{text(name).slice(0, 16)}</dd></>)}
        </dl></section>
        <details class="fold"><summary>As JSON</summary><pre class="plain" tabindex={0}>{JSON.stringify(receipt, null, 2)}</pre></details>
        <p class="muted">The whole record, with the grant and the digests, is in the workspace's <code>receipts</code> folder under this id. Each carries the digest of the one before, so that one that was changed later is found.</p>
    </>;
}
