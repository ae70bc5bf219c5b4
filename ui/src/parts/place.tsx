import type { ComponentChildren } from "preact";
import { Icon } from "../icon.tsx";
import { app, showList, useApp, type Page } from "../state.ts";

/** A page beside the conversation: a list on the left, what is chosen on the right; one of both on a narrow page. Without a list it is one column. */
export function Place({ page, title, list, opened, children }: { page: Page; title: string; list?: ComponentChildren; opened?: boolean; children: ComponentChildren }) {
    useApp(() => [app.listHidden, app.current]);
    return <main class={`chat tools-page ${opened ? "with-tool" : ""} ${list ? "" : "single"}`} aria-label={title}>
        <header class="chat-head">
            <button type="button" class={`icon-button ${app.listHidden ? "" : "only-narrow"}`} title="Show sessions" aria-label="Show sessions" onClick={() => showList(true)}><Icon name="menu" /></button>
            {list && opened ? <button type="button" class="icon-button back only-narrow" aria-label={`All of ${title}`} onClick={() => { location.hash = `#/${page}`; }}><Icon name="chevron" /></button> : null}
            <h1>{title}</h1>
            <a class="to-chat" href={app.current ? `#/s/${app.current}` : "#"}>Back to the conversation</a>
        </header>
        {list ? <div class="tools-body"><nav class="tool-list" aria-label={`List of ${title.toLowerCase()}`}>{list}</nav><div class="tool-detail">{children}</div></div>
            : <div class="tool-detail">{children}</div>}
    </main>;
}

/** A row of the list. */
export function PlaceRow({ href, icon, name, says, tone = "", current }: { href: string; icon: ComponentChildren; name: string; says: string; tone?: string; current: boolean }) {
    return <li><a class={`tool-row ${current ? "current" : ""}`} href={href} aria-current={current ? "true" : undefined}>
        {icon}<span class="tool-name">{name}</span><span class={`tool-says ${tone}`}>{says}</span></a></li>;
}
