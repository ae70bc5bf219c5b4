import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import type { View } from "../fold.ts";
import { Icon } from "../icon.tsx";
import { attempt, goToEvent } from "../state.ts";
import type { Context, ContextPart, PartName } from "../types_runtime.ts";
import { count, plural } from "../words.ts";

export const partNames: Record<PartName, string> = { instructions: "Instructions", tools: "Tools", skills: "Skills", project: "Project files", memory: "Memory", packs: "Packs", facts: "Pinned facts", summary: "Summary", history: "Conversation", results: "Results of tools" };
const itemsShown = 30;

/** What the next request would hold, read anew a moment after the session says that it changed. */
export function useContext(view: View, wanted = true): [Context | null, () => void] {
    const [context, setContext] = useState<Context | null>(null);
    const load = () => attempt(async () => setContext(await runtimeApi.context(view.id)));
    const rev = view.side.contextRev;
    useEffect(() => {
        if (!wanted) return;
        const timer = setTimeout(() => void load(), context ? 250 : 0);
        return () => clearTimeout(timer);
    }, [view.id, rev, wanted]);
    return [context, () => void load()];
}

const share = (n: number, of: number) => (of > 0 ? Math.min(100, (n / of) * 100) : 0);
const percent = (n: number, of: number) => (share(n, of) >= 0.5 || n === 0 ? `${Math.round(share(n, of))} %` : "< 1 %");

/** The window as one bar: each part's share, what is free, and where older turns are summed up. */
export function ContextBar({ context }: { context: Context }) {
    const whole = context.window || context.estimated, mark = context.compact_at ?? 0, parts = context.parts.filter((p) => p.tokens > 0);
    const says = `${count(context.measured ?? context.estimated)} of ${context.window ? count(context.window) : "?"} tokens: ${parts.map((p) => `${partNames[p.part] ?? p.part} ${count(p.tokens)}`).join(", ")}`;
    return <div class="context-bar" role="img" aria-label={says}>
        {parts.map((p) => <span key={p.part} class={`part-${p.part}`} title={`${partNames[p.part] ?? p.part}: ${count(p.tokens)} tokens`} ref={(el) => el?.style.setProperty("width", `${share(p.tokens, whole)}%`)} />)}
        {mark > 0 && mark < whole ? <i title={`Compacted at ${count(mark)} tokens`} ref={(el) => el?.style.setProperty("left", `${share(mark, whole)}%`)} /> : null}
    </div>;
}

const windowFrom: Record<string, string> = { settings: "by the settings", provider: "as the provider says", embedded: "of the embedded model", error: "learnt from an error", counted: "learnt by counting" };

/** How full it is, how that was counted, and what is wrong with it. */
export function ContextFacts({ context }: { context: Context }) {
    const { measured, estimated, cache } = context, used = measured ?? estimated, window = context.window ?? 0, compact_at = context.compact_at ?? 0, cached = cache.cached_tokens ?? 0;
    return <>
        <p class="context-sum"><strong>{count(used)}</strong>{window ? <> of {count(window)} tokens <span class="muted">({percent(used, window)})</span></> : <> tokens <span class="muted">(how many fit is not known)</span></>}</p>
        {context.truncated ? <p class="notice stop small" role="alert"><Icon name="triangle" size={14} label="Warning" /> <span>The provider counted far fewer tokens than were sent: it cut something off without saying so. Compact the context, or choose a model with a larger window.</span></p> : null}
        <dl>
            <dt>Counted by the provider</dt><dd>{measured === null ? <span class="muted">not yet</span> : count(measured)}</dd>
            <dt>Our estimate</dt><dd>{count(estimated)}{measured ? <span class="muted"> ({signed(estimated, measured)})</span> : null}</dd>
            {compact_at > 0 ? <><dt>Compacted at</dt><dd>{count(compact_at)}{window ? <span class="muted"> ({percent(compact_at, window)})</span> : null}</dd></> : null}
            {window && context.window_from ? <><dt>Window</dt><dd>{count(window)} <span class="muted">({windowFrom[context.window_from] ?? context.window_from})</span></dd></> : null}
            <dt>From cache</dt><dd>{cached > 0 ? <>{count(cached)}{measured ? <span class="muted"> ({percent(cached, measured)})</span> : null}</> : <span class="muted">nothing</span>}</dd>
        </dl>
        {cache.broken_by ? <p class="small cache-break"><Icon name="triangle" size={12} label="Cache" /> <span>The last request could not use the cache from <strong>{(partNames[cache.broken_by.part as PartName] ?? cache.broken_by.part).toLowerCase()}</strong> on: {cache.broken_by.what}</span></p> : null}
    </>;
}

function signed(estimated: number, measured: number): string {
    const off = Math.round((estimated / measured - 1) * 100);
    return off === 0 ? "exact" : `${off > 0 ? "+" : "−"}${Math.abs(off)} %`;
}

/** Every part with its tokens; opened, what it is made of, and the way to the messages among that. */
export function ContextParts({ context, leave }: { context: Context; leave?(): void }) {
    const whole = context.window || context.estimated;
    const go = (seq: number) => { leave?.(); goToEvent(seq); };
    return <ul class="context-parts" aria-label="Parts of the context">{context.parts.filter((p) => p.tokens > 0 || p.items.length > 0).map((p) => <li key={p.part}>
        {p.items.length > 0 ? <details><summary><PartLine part={p} whole={whole} /></summary><Items part={p} go={go} /></details> : <div class="part-line"><PartLine part={p} whole={whole} /></div>}</li>)}</ul>;
}

function PartLine({ part, whole }: { part: ContextPart; whole: number }) {
    return <><span class={`swatch part-${part.part}`} aria-hidden="true" /><span class="part-name">{partNames[part.part] ?? part.part}{part.items.length > 1 ? <span class="muted"> {part.items.length}</span> : null}</span>
        <span class="part-tokens">{count(part.tokens)}</span><span class="part-share muted">{percent(part.tokens, whole)}</span></>;
}

function Items({ part, go }: { part: ContextPart; go(seq: number): void }) {
    const items = [...part.items].sort((a, b) => b.tokens - a.tokens), rest = items.slice(itemsShown);
    return <ul class="part-items">{items.slice(0, itemsShown).map((i, n) => <li key={n}>{i.seq ? <button type="button" class="part-name part-link" title={i.name} onClick={() => go(i.seq!)}>{i.name || "without words"}</button> : <span class="part-name" title={i.name}>{i.name}</span>}<span class="part-tokens">{count(i.tokens)}</span></li>)}
        {rest.length ? <li class="muted"><span class="part-name">{plural(rest.length, "smaller one")}</span><span class="part-tokens">{count(rest.reduce((n, i) => n + i.tokens, 0))}</span></li> : null}</ul>;
}
