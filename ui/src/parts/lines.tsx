import { useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import type { Item, View } from "../fold.ts";
import { count, exact, plural } from "../words.ts";
import { ItemView } from "./items.tsx";
import { Inline, Markdown } from "./markdown.tsx";

type Of<K extends Item["kind"]> = Extract<Item, { kind: K }>;

/** Something that happened to the session, said once and quietly. */
export function Line({ item }: { item: Of<"line"> }) {
    return <p class="item line" title={exact(item.t)}><Icon name={item.icon} size={14} /><span><Inline text={item.text} />{item.more ? <span class="line-more"> {item.more}</span> : null}</span></p>;
}

const why: Record<string, string> = { threshold: "the window was nearly full", error: "the model's window was too small for all of it", user: "you asked for it" };

/** Where older turns were replaced by a summary for the model; the conversation above is still all there. */
export function Compact({ item }: { item: Of<"compact"> }) {
    const { turns, results, tokens, files } = item.lost;
    const lost = [turns ? plural(turns, "turn") : "", results ? plural(results, "result") : "", tokens ? `${count(tokens)} tokens` : ""].filter(Boolean);
    return <details class="item compact"><summary><span><Icon name="fold" size={14} /> Context compacted
        {item.before && item.after ? <span class="muted"> · {count(item.before)} → {count(item.after)} tokens</span> : null}</span></summary>
        <div class="compact-body">
            <p class="muted small" title={exact(item.t)}>From here on the model sees this summary in place of what is above, because {why[item.by] ?? item.by}. The session keeps all of it.</p>
            <h2>Summary</h2><Markdown text={item.summary} live={false} />
            {item.kept.length ? <><h2>Kept word by word</h2><ul>{item.kept.map((k, i) => <li key={i}>{k}</li>)}</ul></> : null}
            {lost.length || files?.length ? <><h2>No longer in the context</h2>
                {lost.length ? <p>{lost.join(", ")}</p> : null}
                {files?.length ? <ul>{files.map((f) => <li key={f} class="path">{f}</li>)}</ul> : null}</> : null}
        </div></details>;
}

/** What a command answered: on this page only. */
export function Local({ item }: { item: Of<"local"> }) {
    return <article class="item local" aria-label={`Answer to ${item.command}`}><p class="local-head"><code>{item.command}</code><span class="muted">only on this page</span></p><Markdown text={item.text} live={false} /></article>;
}

const atOnce = 40; // items of an earlier version that are drawn

/** What was edited and sent again, folded away. */
export function Versions({ item, view }: { item: Of<"versions">; view: View }) {
    const [open, setOpen] = useState(false);
    const [drawn, setDrawn] = useState(atOnce);
    const n = item.versions.length, all = item.versions.flat();
    return <div class="item versions">
        <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}><span class={`turn ${open ? "down" : ""}`}><Icon name="chevron" size={12} /></span> {n === 1 ? "1 earlier version" : `${n} earlier versions`}</button>
        {open ? <div class="versions-body">
            {all.slice(0, drawn).map((i) => <ItemView key={i.key} item={i} rev={i.rev} view={view} old />)}
            {all.length > drawn ? <button type="button" class="quiet" onClick={() => setDrawn(drawn + 2 * atOnce)}>{all.length - drawn} more</button> : null}
        </div> : null}
    </div>;
}
