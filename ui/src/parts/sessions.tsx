import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { entries, loadMore, search, type Entry } from "../list.ts";
import { importFiles, pin, remove } from "../sessions.ts";
import { app, attempt, change, open, showList, useApp } from "../state.ts";
import { useVirtual } from "../virtual.ts";
import { plural } from "../words.ts";
import { Menu } from "./menu.tsx";
import { Places } from "./places.tsx";
import { Row } from "./session_row.tsx";

type RowEntry = Extract<Entry, { kind: "row" }>;
const isRow = (e: Entry | undefined): e is RowEntry => e?.kind === "row";
const isChat = (e: Entry | undefined): e is RowEntry => isRow(e) && e.depth === 0; // its executors go with it

export function Sessions() {
    const { query, system, page } = useApp(() => [app.page, app.query, app.system]);
    const [over, setOver] = useState(false);
    const file = useRef<HTMLInputElement>(null);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    const find = (text: string) => {
        change(() => { app.query = text; });
        clearTimeout(timer.current);
        timer.current = setTimeout(() => { void attempt(search); }, text ? 120 : 0);
    };
    return <nav class={`sessions ${over ? "dropping" : ""}`} aria-label="Sessions"
        onDragOver={(e) => { if (e.dataTransfer?.types.includes("Files")) { e.preventDefault(); setOver(true); } }} onDragLeave={(e) => { if (!e.currentTarget.contains(e.relatedTarget as Node)) setOver(false); }}
        onDrop={(e) => { if (!e.dataTransfer?.files.length) return; e.preventDefault(); setOver(false); void importFiles([...e.dataTransfer.files]); }}>
        <div class="sessions-head">
            <a class="brand" href="#" onClick={() => change(() => { app.drawer = false; })}><img src="/favicon.svg" alt="" width="20" height="20" />BoxAgnts</a>
            <Menu label="More" icon="more" entries={() => [
                { name: "Import a session…", icon: "upload", act: () => file.current?.click() },
                ...(app.sessions.length ? [{ name: "Select all that are loaded", icon: "check" as const, act: () => change(() => { app.selected = new Set(entries().filter(isChat).map((e) => e.row.id)); }) }] : []),
            ]} />
            <button type="button" class="icon-button" title="Hide the list" aria-label="Hide the list of sessions" onClick={() => showList(false)}><Icon name="menu" /></button>
            <button type="button" class="icon-button" title="New session (Ctrl+K)" aria-label="New session" onClick={() => { change(() => { app.drawer = false; }); open(null); }}>
                <Icon name="plus" /></button>
        </div>
        <input type="file" hidden multiple ref={file} accept=".json,.jsonl,application/json" aria-label="Sessions to import"
            onChange={(e) => { const files = [...e.currentTarget.files ?? []]; e.currentTarget.value = ""; void importFiles(files); }} />
        <label class="search"><Icon name="search" size={14} />
            <input type="search" placeholder="Search sessions" aria-label="Search sessions" value={query} onInput={(e) => find(e.currentTarget.value)}
                onKeyDown={(e) => {
                    if (e.key === "Escape" && query) { e.preventDefault(); e.stopPropagation(); find(""); }
                    if (e.key === "ArrowDown") { e.preventDefault(); document.querySelector<HTMLElement>(".session a")?.focus(); }
                }} /></label>
        <Selection />
        <List />
        <Places page={page} />
        {system ? <p class="root" title={`Tools see this folder and nothing else:\n${system.root}`}><Icon name="folder" size={14} label="Root" /><span>{system.root.split("/").filter(Boolean).pop() ?? "/"}</span></p> : null}
        {over ? <p class="drop-here">Drop a session here to import it</p> : null}
    </nav>;
}

/** What can be done with all that are selected. */
function Selection() {
    const { selected } = useApp(() => [app.selected]);
    if (selected.size === 0) return null;
    const ids = [...selected], pinned = new Set(app.pinned.map((r) => r.id)), all = ids.every((id) => pinned.has(id));
    return <div class="selection" role="toolbar" aria-label="Selected sessions">
        <span role="status">{plural(ids.length, "session")}</span>
        <button type="button" class="icon-button" title={all ? "Unpin" : "Pin"} aria-label={all ? "Unpin the selected" : "Pin the selected"} onClick={() => { void pin(ids, !all).then(clear); }}><Icon name={all ? "pinOff" : "pin"} size={14} /></button>
        <button type="button" class="icon-button" title="Delete (Del)" aria-label="Delete the selected" onClick={() => { void remove(ids); }}><Icon name="trash" size={14} /></button>
        <button type="button" class="icon-button" title="Clear (Esc)" aria-label="Select none" onClick={clear}><Icon name="x" size={14} /></button>
    </div>;
}

const clear = () => change(() => { app.selected = new Set(); });

function List() {
    const { current, page, more, found, selected, sessions, sessionsLoaded, query } = useApp(() => [app.sessions, app.pinned, app.executors, app.unfolded, app.found, app.current, app.page, app.more, app.selected, app.sessionsLoaded]);
    const list = entries();
    const [reached, setReached] = useState<string | null>(null);
    const start = useRef<number | null>(null); // of a range
    const wanted = useRef<string | null>(null); // gets the focus when it is drawn
    const { v, from, to } = useVirtual<Entry>(list, { key: (e) => e.key, guess: (e) => (e.kind === "head" ? 30 : e.row.hit ? 52 : 34), all: 60, settled: () => {
        if (!app.found && app.more && v.box!.scrollHeight - v.box!.scrollTop - v.box!.clientHeight < 1500) void attempt(loadMore);
        const el = wanted.current && v.list!.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`);
        if (el) { wanted.current = null; el.focus({ preventScroll: true }); }
    } });
    useEffect(() => { v.box!.scrollTop = 0; v.hold(); setReached(null); }, [found !== null]);
    const shownKey = list.some((e) => e.key === reached) ? reached : list.find((e) => isRow(e) && e.row.id === current)?.key ?? list.find(isRow)?.key;
    const indexOf = (key: string | null | undefined) => list.findIndex((e) => e.key === key);

    const goTo = (i: number) => {
        const entry = list[i];
        if (!entry) return;
        setReached(entry.key);
        wanted.current = entry.key;
        if (!v.sees(entry.key)) v.reveal(entry.key, 0.3);
        v.list!.querySelector<HTMLElement>(`[data-row="${entry.key}"]`)?.focus({ preventScroll: true });
    };
    const step = (i: number, by: number) => { for (let at = i + by; at >= 0 && at < list.length; at += by) if (isRow(list[at])) return at; return i; };
    const select = (rows: RowEntry[], on: boolean | "turn") => change(() => {
        const next = new Set(app.selected);
        for (const { row } of rows) if (on === true || (on === "turn" && !next.has(row.id))) next.add(row.id); else next.delete(row.id);
        app.selected = next;
    });
    const range = (a: number, b: number) => list.slice(Math.min(a, b), Math.max(a, b) + 1).filter(isChat);
    const onKey = (e: KeyboardEvent) => {
        if (!(e.target as HTMLElement).matches("a[data-row]") || e.isComposing) return;
        const i = indexOf((e.target as HTMLElement).dataset.row), entry = list[i];
        if (!isRow(entry)) return;
        const ctrl = e.ctrlKey || e.metaKey;
        if (e.key === "ArrowDown" || e.key === "ArrowUp") {
            const next = step(i, e.key === "ArrowDown" ? 1 : -1);
            if (e.shiftKey) { start.current ??= i; select(range(start.current, next), true); } else start.current = null;
            goTo(next);
        } else if (e.key === "Home") goTo(step(-1, 1));
        else if (e.key === "End") goTo(step(list.length, -1));
        else if (e.key === "ArrowRight" && entry.executors) change(() => { app.unfolded = new Set([...app.unfolded, entry.row.id]); });
        else if (e.key === "ArrowLeft" && app.unfolded.has(entry.row.id)) change(() => { app.unfolded = new Set([...app.unfolded].filter((id) => id !== entry.row.id)); });
        else if (e.key === " " || (e.key === "x" && !ctrl)) { start.current = i; select([entry], "turn"); }
        else if (ctrl && e.key.toLowerCase() === "a") select(list.filter(isChat), true);
        else if (e.key === "Delete") {
            wanted.current = list[step(i, 1) === i ? step(i, -1) : step(i, 1)]?.key ?? null;
            setReached(wanted.current);
            void remove(app.selected.size ? [...app.selected] : [entry.row.id]);
        } else if (e.key === "p" && !ctrl && !e.altKey) void pin(app.selected.size ? [...app.selected] : [entry.row.id], !entry.row.pinned);
        else if (e.key === "Escape" && app.selected.size) clear();
        else return;
        e.preventDefault();
        e.stopPropagation();
    };
    const pick = (e: MouseEvent, i: number, entry: RowEntry) => {
        if (e.shiftKey) select(range(start.current ?? Math.max(0, indexOf(shownKey)), i), true);
        else if (e.ctrlKey || e.metaKey || app.selected.size) { start.current = i; select([entry], "turn"); }
        else { start.current = i; return change(() => { app.drawer = false; }); } // the link does the rest, and when it is the open session nothing else would
        e.preventDefault();
    };
    return <>
        <div class="session-list" tabindex={-1} ref={(el) => { v.box = el; }} onScroll={() => { v.scrolled(); if (more && !found && v.box && v.box.scrollHeight - v.box.scrollTop - v.box.clientHeight < 1500) void attempt(loadMore); }} onKeyDown={onKey}>
            <div><ul ref={(el) => { v.list = el; }} aria-label={found ? "Sessions found" : "Sessions"}>
                {list.slice(from, to).map((e, n) => <li key={e.key} data-key={e.key}>{e.kind === "head" ? <h2 class="list-head">{e.text}</h2>
                    : <Row entry={e} current={e.row.id === current && page === "chat"} reached={e.key === shownKey} selecting={selected.size > 0} selected={selected.has(e.row.id)}
                        onPick={(event) => pick(event, from + n, e)} onReach={() => { if (reached !== e.key) setReached(e.key); }} />}</li>)}
            </ul></div>
            {sessionsLoaded && list.length === 0
                ? <p class="empty">{found ? `Nothing in your sessions says “${query.trim()}”.` : sessions.length ? "" : "Your sessions will be listed here. They are files on this machine and go nowhere else."}</p> : null}
        </div>
    </>;
}
