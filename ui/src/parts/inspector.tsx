import { Icon } from "../icon.tsx";
import { app, change, currentView, useApp } from "../state.ts";
import type { Call } from "../fold.ts";
import { LimitsStrip } from "./limits.tsx";

/** The record of one call: what it was granted, what it used, the verdict, and its place in the chain. */
export function Inspector() {
    const { inspected } = useApp();
    const view = currentView();
    let call: Call | undefined;
    for (const item of view?.items ?? []) if (item.kind === "assistant") call = item.calls.find((c) => c?.id === inspected) ?? call;
    return <aside class="panel" aria-label="Receipt">
        <header><h2>Receipt{call ? ` · ${call.tool}` : ""}</h2>
            <button type="button" class="icon-button" aria-label="Close" onClick={() => change(() => { app.panel = "none"; })}><Icon name="x" /></button></header>
        {call?.receipt ? <>
            <LimitsStrip call={call} />
            {call.decision ? <p>{call.decision.allow ? "Allowed" : "Denied"} by {call.decision.by}. <span class="muted">{call.decision.reason}</span></p> : null}
            <pre class="plain" tabindex={0}>{JSON.stringify(call.receipt, null, 2)}</pre>
            <p class="muted">Each receipt carries the digest of the one before, so that a record that was changed later is found.</p>
        </> : <p class="empty">Choose “Receipt” in a call to see its record here.</p>}
    </aside>;
}
