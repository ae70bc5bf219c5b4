import { useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { remove, rename } from "../sessions.ts";
import { app, change } from "../state.ts";
import type { Entry } from "../list.ts";
import type { SessionRow } from "../types.ts";
import { ago, exact } from "../words.ts";
import { Menu } from "./menu.tsx";
import { sessionEntries } from "./session_menu.ts";
import { TitleField } from "./title_field.tsx";

interface Props { entry: Extract<Entry, { kind: "row" }>; current: boolean; reached: boolean; selecting: boolean; selected: boolean; onPick(e: MouseEvent): void; onReach(): void }

/** One session: a link, its state, what can be done with it. Tab reaches one row of the list, arrow keys the others. */
export function Row({ entry, current, reached, selecting, selected, onPick, onReach }: Props) {
    const { row, depth, executors } = entry;
    const [editing, setEditing] = useState(false);
    const title = row.title || "Untitled", unfolded = app.unfolded.has(row.id);
    if (editing) {
        return <div class="session editing"><TitleField title={row.title} done={(text) => { setEditing(false); if (text) void rename(row.id, text); }} /></div>;
    }
    const tab = reached ? 0 : -1;
    return <div class={`session ${current ? "current" : ""} ${selected ? "selected" : ""} ${row.hit ? "with-hit" : ""}`} data-depth={Math.min(depth, 4)}
        onKeyDown={(e) => { if (e.key === "F2" && (e.target as HTMLElement).matches("a")) { e.preventDefault(); setEditing(true); } }}>
        <a href={`#/s/${row.id}${row.hit ? `/${row.hit.seq}` : ""}`} data-row={entry.key} tabIndex={tab} aria-current={current ? "page" : undefined} title={`${title}\n${exact(row.updated_at)}`}
            onFocus={onReach} onClick={onPick}>
            {selecting ? <span class="tick" role="img" aria-label={selected ? "selected" : "not selected"}>{selected ? <Icon name="check" size={12} /> : null}</span> : null}
            <span class="session-title">{depth ? <span class="muted">{row.agent ? `${row.agent} · ` : ""}</span> : null}{title}</span>
            <span class="session-meta"><Places n={row.hits?.length ?? 0} /><State row={row} /></span>
            {row.hit ? <span class="hit"><Hit text={row.hit.text} /></span> : null}
        </a>
        <span class="session-tools">
            <button type="button" class="icon-button wide-only" title="Rename (F2)" aria-label={`Rename ${title}`} tabIndex={tab} onClick={() => setEditing(true)}><Icon name="pencil" size={14} /></button>
            <button type="button" class="icon-button wide-only" title="Delete (Del)" aria-label={`Delete ${title}`} tabIndex={tab} onClick={() => { void remove([row.id]); }}><Icon name="trash" size={14} /></button>
            <Menu label={`More for ${title}`} icon="more" tabindex={tab} entries={() => sessionEntries(row, () => setEditing(true), true)} />
        </span>
        {executors ? <button type="button" class="nested" aria-expanded={unfolded} tabIndex={tab}
            onClick={() => change(() => { const next = new Set(app.unfolded); if (!next.delete(row.id)) next.add(row.id); app.unfolded = next; })}>
            <span class={`turn ${unfolded ? "down" : ""}`}><Icon name="chevron" size={12} /></span>{executors === 1 ? "1 executor" : `${executors} executors`}</button> : null}
    </div>;
}

function State({ row }: { row: SessionRow }) {
    if (row.waiting) return <span class="state wait"><Icon name="hand" size={12} label="waiting for you" /></span>;
    if (row.running) return <span class="pulse" role="img" aria-label="running" />;
    if (row.damaged) return <span class="state warn"><Icon name="triangle" size={12} label="partly damaged" /></span>;
    return <>{row.forked_from ? <Icon name="fork" size={12} label="a fork" /> : null}{ago(row.updated_at)}</>;
}

/** The words around a hit; those that were looked for stand out. */
/** Where the session says it, the first of which is shown; the server counts to three. */
function Places({ n }: { n: number }) {
    return n < 2 ? null : <span class="places muted">{n < 3 ? "2 places" : "3 places or more"}</span>;
}

function Hit({ text }: { text: string }) {
    const q = app.query.trim().toLowerCase(), at = q ? text.toLowerCase().indexOf(q) : -1;
    if (at < 0) return <>{text}</>;
    const from = Math.max(0, at - 24);
    return <>{from ? "…" : ""}{text.slice(from, at)}<mark>{text.slice(at, at + q.length)}</mark>{text.slice(at + q.length)}</>;
}
