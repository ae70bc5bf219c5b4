// What the conversation shows: what was edited and sent again is folded away where the later version stands.
import type { Item, View } from "./fold.ts";

const cache = new WeakMap<View, { items: Item[]; length: number; rewinds: View["rewinds"]; shown: Item[] }>();

export function shownItems(view: View): Item[] {
    if (view.rewinds.length === 0) return view.items;
    const known = cache.get(view);
    if (known && known.items === view.items && known.length === view.items.length && known.rewinds === view.rewinds) return known.shown;
    const shown = fold(view.items, outermost(view.rewinds));
    cache.set(view, { items: view.items, length: view.items.length, rewinds: view.rewinds, shown });
    return shown;
}

function outermost(rewinds: View["rewinds"]): View["rewinds"] {
    const list: View["rewinds"] = [];
    for (const r of [...rewinds].sort((a, b) => a.to - b.to || b.at - a.at)) if (r.to > (list.at(-1)?.at ?? 0)) list.push(r);
    return list;
}

function fold(items: Item[], ranges: View["rewinds"]): Item[] {
    const shown: Item[] = [];
    let seq = 0, n = 0, last = -1; // last: the range of the item before, when that was folded
    for (const item of items) {
        seq = item.seq ?? seq; // what has no event of its own belongs to the one before it
        while (n < ranges.length && ranges[n]!.at <= seq) n++;
        const range = ranges[n];
        if (!range || seq < range.to) {
            shown.push(item);
            last = -1;
            continue;
        }
        const box = shown.at(-1);
        if (box?.kind !== "versions" || last < 0) shown.push({ kind: "versions", key: `v${range.to}`, seq, rev: 0, versions: [[item]] });
        else if (last === n) { box.versions.at(-1)!.push(item); box.rev++; }
        else { box.versions.push([item]); box.rev++; }
        last = n;
    }
    return shown;
}

/** Where in the list the event is, or what was made of it. */
export function indexOfSeq(items: readonly Item[], seq: number): number {
    let at = -1, around = -1; // around: a reply whose calls ended with that event; a notice may stand between them
    for (let i = 0; i < items.length; i++) {
        const item = items[i]!;
        const first = item.kind === "versions" ? item.versions[0]?.[0]?.seq : item.seq;
        if (first !== undefined && first > seq) break;
        if (first !== undefined) at = i;
        if (item.kind === "assistant" && (item.until ?? 0) >= seq) around = i;
    }
    return at >= 0 && items[at]!.seq !== seq && around >= 0 ? around : at;
}
