import { useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { app, attempt, change, loadMore, loadSessions, open, removeSession, rename, showList, useApp } from "../state.ts";
import type { SessionRow } from "../types.ts";
import { ago, exact } from "../words.ts";
import { Places } from "./places.tsx";
import { TitleField } from "./title_field.tsx";

function Row({ row, current }: { row: SessionRow; current: boolean }) {
    const [editing, setEditing] = useState(false);
    const title = row.title || "Untitled";
    if (editing) {
        return <li class="session editing"><TitleField title={row.title} done={(text) => { setEditing(false); if (text) void rename(row.id, text); }} /></li>;
    }
    return <li class={`session ${current ? "current" : ""}`}>
        <a href={`#/s/${row.id}`} aria-current={current ? "page" : undefined} title={`${title}\n${exact(row.updated_at)}`}>
            <span class="session-title">{title}</span>
            <span class="session-meta">
                {row.waiting ? <span class="state wait"><Icon name="hand" size={12} label="waiting for you" /></span>
                    : row.running ? <span class="pulse" role="img" aria-label="running" />
                    : row.damaged ? <span class="state warn"><Icon name="triangle" size={12} label="partly damaged" /></span>
                    : ago(row.updated_at)}
            </span>
        </a>
        <span class="session-tools">
            <button type="button" class="icon-button" title="Rename" aria-label={`Rename ${title}`} onClick={() => setEditing(true)}><Icon name="pencil" size={14} /></button>
            <button type="button" class="icon-button" title="Delete" aria-label={`Delete ${title}`} onClick={() => removeSession(row)}><Icon name="trash" size={14} /></button>
        </span>
    </li>;
}

export function Sessions() {
    const { sessions, sessionsLoaded, current, more, query, system, page } = useApp(() => [app.page, app.sessions, app.sessionsLoaded, app.current, app.more, app.query, app.system]);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    const search = (text: string) => {
        change(() => { app.query = text; });
        clearTimeout(timer.current);
        timer.current = setTimeout(() => { void attempt(loadSessions); }, 120);
    };
    return <nav class="sessions" aria-label="Sessions">
        <div class="sessions-head">
            <a class="brand" href="#" onClick={() => change(() => { app.drawer = false; })}><img src="/favicon.svg" alt="" width="20" height="20" />BoxAgnts</a>
            <button type="button" class="icon-button" title="Hide the list" aria-label="Hide the list of sessions" onClick={() => showList(false)}><Icon name="menu" /></button>
            <button type="button" class="icon-button" title="New session (Ctrl+K)" aria-label="New session" onClick={() => { change(() => { app.drawer = false; }); open(null); }}>
                <Icon name="plus" /></button>
        </div>
        <label class="search"><Icon name="search" size={14} />
            <input type="search" placeholder="Search sessions" aria-label="Search sessions" value={query} onInput={(e) => search(e.currentTarget.value)} /></label>
        <ul class="session-list">
            {sessions.map((row) => <Row key={row.id} row={row} current={row.id === current && page === "chat"} />)}
        </ul>
        {more ? <button type="button" class="quiet" onClick={() => { void attempt(loadMore); }}>Older sessions</button> : null}
        {sessionsLoaded && sessions.length === 0
            ? <p class="empty">{query ? "No session has these words in its title." : "Your sessions will be listed here. They are files on this machine and go nowhere else."}</p> : null}
        <Places page={page} />
        {system ? <p class="root" title={`Tools see this folder and nothing else:\n${system.root}`}><Icon name="folder" size={14} label="Root" /><span>{system.root.split("/").filter(Boolean).pop() ?? "/"}</span></p> : null}
    </nav>;
}
