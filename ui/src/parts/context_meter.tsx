import { useState } from "preact/hooks";
import type { View } from "../fold.ts";
import { inspect, useApp } from "../state.ts";
import { count } from "../words.ts";
import { ContextBar, ContextFacts, ContextParts, useContext } from "./context_view.tsx";
import { Compact } from "./context_steer.tsx";
import { usePopover } from "./popover.ts";

/** How full the context is, in the status line; it opens to show what fills it. */
export function ContextMeter({ view }: { view: View | null }) {
    const { open, setOpen, box } = usePopover();
    const usage = view?.usage;
    if (!view) return null;
    const filled = view.side.filled ?? Math.max(0, usage?.input ?? 0) + Math.max(0, usage?.output ?? 0);
    const share = usage && usage.window > 0 ? Math.min(1, filled / usage.window) : 0;
    const tone = share > 0.9 ? "stop" : share > 0.75 ? "warn" : "";
    return <div class="popover-box" ref={box}>
        <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}
            aria-label={!usage ? "Context" : usage.window > 0 ? `Context ${Math.round(share * 100)} percent full` : `Context ${filled} tokens`}>
            <span class={`ring ${tone}`} aria-hidden="true" ref={(el) => el?.style.setProperty("--share", String(share))} />
            {!usage ? "Context" : usage.window > 0 ? `${Math.round(share * 100)} %` : `${count(filled)} tokens`}</button>
        {open ? <div class="popover context-popover" role="dialog" aria-label="Context"><Opened view={view} leave={() => setOpen(false)} /></div> : null}
    </div>;
}

function Opened({ view, leave }: { view: View; leave(): void }) {
    useApp(() => [view.side.contextRev, view.running]);
    const [context] = useContext(view);
    const [, redraw] = useState(0);
    return <><h2>Context window</h2>
        {context ? <><ContextBar context={context} /><ContextFacts context={context} /><ContextParts context={context} leave={() => { leave(); document.querySelector<HTMLElement>(".log")?.focus({ preventScroll: true }); }} />
            <div class="choices"><Compact view={view} done={() => redraw((n) => n + 1)} /><button type="button" class="quiet" onClick={() => { leave(); inspect(null); }}>Facts, packs, details</button></div></>
            : <p class="muted small">Reading…</p>}</>;
}
