import type { View } from "../fold.ts";
import { useApp } from "../state.ts";
import { millis } from "../words.ts";
import { Compact, Facts, LastCompaction, Packs } from "./context_steer.tsx";
import { ContextBar, ContextFacts, ContextParts, useContext } from "./context_view.tsx";

/** The inspector's part about the context: what fills it, what is pinned, and how it is kept small. */
export function ContextSection({ view }: { view: View }) {
    useApp(() => [view.side.contextRev, view.running, view.items.length]);
    const [context, reload] = useContext(view);
    return <>
        <section aria-label="Context"><h3>Context</h3>{context ? <>
            <ContextBar context={context} /><ContextFacts context={context} /><ContextParts context={context} />
            {view.usage?.firstTokenMs ? <p class="muted small">The last reply began after {millis(view.usage.firstTokenMs)} and took {millis(view.usage.ms)}.</p> : null}
            {view.side.compaction ? <LastCompaction event={view.side.compaction} /> : null}
            <Compact view={view} done={reload} /></> : <p class="muted small">Reading…</p>}</section>
        {context ? <><Facts view={view} context={context} changed={reload} /><Packs view={view} context={context} changed={reload} /></> : null}
    </>;
}
