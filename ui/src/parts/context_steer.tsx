import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import type { View } from "../fold.ts";
import { Icon } from "../icon.tsx";
import { loadPacks, runtime } from "../runtime.ts";
import { attempt, useApp } from "../state.ts";
import type { CompactEvent, Context } from "../types_runtime.ts";
import { count, plural } from "../words.ts";
import { Markdown } from "./markdown.tsx";

/** Sums up the older turns now; a word of what matters may be given. */
export function Compact({ view, done }: { view: View; done(): void }) {
    const [open, setOpen] = useState(false);
    const [focus, setFocus] = useState("");
    const run = () => attempt(async () => { await runtimeApi.compact(view.id, focus.trim()); setOpen(false); setFocus(""); done(); });
    if (view.running) return <span class="muted small">It can be compacted when the run is over.</span>;
    if (!open) return <button type="button" class="small-button flat" disabled={view.items.length === 0} onClick={() => setOpen(true)}>Compact now…</button>;
    return <form class="compact-form" onSubmit={(e) => { e.preventDefault(); void run(); }}>
        <input ref={(el) => { if (el && !el.dataset.seen) { el.dataset.seen = "1"; el.focus(); } }} value={focus} aria-label="What must stay in view" placeholder="what must stay in view, if you like" onInput={(e) => setFocus(e.currentTarget.value)}
            onKeyDown={(e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); setOpen(false); } }} />
        <button type="submit">Compact</button><button type="button" class="quiet" onClick={() => setOpen(false)}>Back</button></form>;
}

/** What the last compaction left of the older turns, and what it did not. The log keeps all. */
export function LastCompaction({ event }: { event: CompactEvent }) {
    const lost = event.lost ?? {}, what = [lost.turns ? plural(lost.turns, "turn") : "", lost.results ? plural(lost.results, "result") : ""].filter(Boolean).join(" and ");
    return <details class="fold"><summary>Last compaction: {count(event.before_tokens)} to {count(event.after_tokens)} tokens</summary>
        {what ? <p class="muted small">{what} are in the log only{lost.files?.length ? `; files: ${lost.files.join(", ")}` : ""}.</p> : null}
        {event.summary ? <div class="document compact-summary"><Markdown text={event.summary} /></div> : <p class="muted small">There is no summary{event.why ? `: ${event.why}` : ""}.</p>}</details>;
}

/** Facts that every compaction copies word for word. */
export function Facts({ view, context, changed }: { view: View; context: Context; changed(): void }) {
    const [text, setText] = useState("");
    const act = (action: () => Promise<unknown>) => attempt(async () => { await action(); changed(); });
    return <section aria-label="Pinned facts"><h3>Pinned facts</h3>
        {context.facts.length === 0 ? <p class="muted small">None. What is pinned here survives every compaction word for word.</p> : <ul class="pins">{context.facts.map((f) => <li key={f.id}>
            <span>{f.text}{f.from === "model" ? <span class="muted small"> (the model's)</span> : null}</span><button type="button" class="quiet" aria-label={`Drop ${f.text}`} onClick={() => void act(() => runtimeApi.dropFact(view.id, f.id))}>Drop</button></li>)}</ul>}
        <form onSubmit={(e) => { e.preventDefault(); if (text.trim()) void act(async () => { await runtimeApi.pinFact(view.id, text.trim()); setText(""); }); }}>
            <input value={text} aria-label="A fact to pin" placeholder="The release is on Friday" onInput={(e) => setText(e.currentTarget.value)} /><button type="submit" disabled={!text.trim()}>Pin</button></form></section>;
}

/** Context packs of this session. */
export function Packs({ view, context, changed }: { view: View; context: Context; changed(): void }) {
    useApp(() => [runtime.packs]);
    useEffect(() => { void attempt(loadPacks); }, []);
    const [chosen, setChosen] = useState("");
    const act = (action: () => Promise<unknown>) => attempt(async () => { await action(); changed(); });
    const rest = (runtime.packs ?? []).filter((p) => !context.packs.includes(p.name));
    return <section aria-label="Packs"><h3>Packs <a class="see" href="#/memory">Edit them</a></h3>
        {context.packs.length === 0 ? <p class="muted small">None is attached.</p> : <ul class="pins">{context.packs.map((name) => {
            const problem = runtime.packs?.find((p) => p.name === name)?.problem;
            return <li key={name}><span>{name}{problem ? <span class="warned small"> <Icon name="triangle" size={12} label="Problem:" /> {problem}</span> : null}</span>
                <button type="button" class="quiet" aria-label={`Detach ${name}`} onClick={() => void act(() => runtimeApi.detach(view.id, name))}>Detach</button></li>;
        })}</ul>}
        {rest.length ? <form onSubmit={(e) => { e.preventDefault(); if (chosen) void act(async () => { await runtimeApi.attach(view.id, chosen); setChosen(""); }); }}>
            <select aria-label="A pack to attach" value={chosen} onChange={(e) => setChosen(e.currentTarget.value)}><option value="">choose a pack</option>{rest.map((p) => <option key={p.name} value={p.name}>{p.name} · {count(p.tokens)} tokens</option>)}</select>
            <button type="submit" disabled={!chosen}>Attach</button></form> : null}</section>;
}
