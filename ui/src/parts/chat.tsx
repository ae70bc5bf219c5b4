import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { rowOf } from "../list.ts";
import { rename } from "../sessions.ts";
import { app, change, currentView, inspect, showList, useApp } from "../state.ts";
import type { View } from "../fold.ts";
import { BudgetMenu } from "./budget.tsx";
import { Composer } from "./composer.tsx";
import { FirstRun } from "./first_run.tsx";
import { Log } from "./log.tsx";
import { Menu } from "./menu.tsx";
import { sessionEntries } from "./session_menu.ts";
import { parentOf } from "../types_sessions.ts";
import { StatusLine } from "./status.tsx";
import { Tasks } from "./tasks.tsx";
import { TitleField } from "./title_field.tsx";

export function Chat() {
    useApp(() => [app.current, currentView()?.damaged]);
    const view = currentView();
    const dock = useRef<HTMLDivElement>(null);
    useLayoutEffect(() => { // what is said at the foot of the page stands above the message box, not on it
        const el = dock.current!, root = document.documentElement.style, observer = new ResizeObserver(() => root.setProperty("--dock", `${el.offsetHeight}px`));
        observer.observe(el);
        return () => { observer.disconnect(); root.removeProperty("--dock"); };
    }, []);
    return <main class="chat" aria-label="Conversation">
        <Head key={view?.id ?? "new"} view={view} />
        {view?.damaged ? <p class="damaged small" role="note"><Icon name="triangle" size={14} label="Damaged" /><span>A part of this session cannot be read: its file is damaged. What can be read is here; <code>boxagnts session fsck</code> says what is wrong.</span></p> : null}
        {view ? <Log key={view.id} view={view} /> : <FirstRun />}
        <div class="dock" ref={dock}>
            <Tasks view={view} />
            <StatusLine view={view} />
            <Composer key={view?.id ?? "new"} view={view} />
        </div>
    </main>;
}

function Head({ view }: { view: View | null }) {
    const row = rowOf(view?.id);
    useApp(() => [view?.title, app.sessions, app.pinned, app.executors, app.panel, app.listHidden]);
    const manager = row ? parentOf(row) : null;
    const [editing, setEditing] = useState(false);
    const title = view ? view.title || row?.title || "Untitled" : "New session";
    useEffect(() => { document.title = view ? `${title} · BoxAgnts` : "BoxAgnts"; }, [title, view]);
    const toggle = (panel: "settings" | "inspector") => () => {
        if (app.panel === panel) change(() => { app.panel = "none"; });
        else if (panel === "inspector") inspect(app.inspected);
        else change(() => { app.panel = panel; });
    };
    return <header class="chat-head">
        <button type="button" class={`icon-button ${app.listHidden ? "" : "only-narrow"}`} title="Show sessions" aria-label="Show sessions" onClick={() => showList(true)}><Icon name="menu" /></button>
        {editing && view
            ? <TitleField title={view.title || row?.title || ""} done={(text) => { setEditing(false); if (text) void rename(view.id, text); }} />
            : <h1>{manager ? <a class="to-manager" href={`#/s/${manager}`} title="To the session that it works for"><Icon name="users" size={14} /> {rowOf(manager)?.title || "Manager"}</a> : null}{title}{view ? <button type="button" class="icon-button" title="Rename" aria-label="Rename this session" onClick={() => setEditing(true)}><Icon name="pencil" size={14} /></button> : null}</h1>}
        {view ? <><BudgetMenu id={view.id} />
            <Menu label="This session" icon="more" entries={() => sessionEntries(row ?? { id: view.id }, () => setEditing(true), false)} /></> : null}
        <button type="button" class="icon-button" title="Settings" aria-label="Settings" aria-pressed={app.panel === "settings"} onClick={toggle("settings")}><Icon name="settings" /></button>
        {view ? <button type="button" class="icon-button" title="Inspector" aria-label="Inspector" aria-pressed={app.panel === "inspector"} onClick={toggle("inspector")}><Icon name="panel" /></button> : null}
    </header>;
}
