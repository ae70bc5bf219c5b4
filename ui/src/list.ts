// The list of sessions: its newest page is read again when something changes, older ones as the reader comes to them.
import { sessionsApi } from "./api_sessions.ts";
import { app, change } from "./state.ts";
import { parentOf } from "./types_sessions.ts";
import type { SessionRow } from "./types.ts";

export const removed = new Set<string>(); // deleted here; the list that is on its way may still have them

const found = 100; // of each kind, at a search
let listNumber = 0, searchNumber = 0;

export async function loadSessions(): Promise<void> {
    const number = ++listNumber;
    const [newest, pinned, executors] = await Promise.all([sessionsApi.list({}), sessionsApi.list({ pinned: true }), sessionsApi.list({ kind: "executor", limit: 500 }), app.query ? search() : undefined]);
    if (number !== listNumber) return; // a newer answer is on its way
    const there = (rows: SessionRow[]) => rows.filter((r) => !removed.has(r.id));
    const last = newest.sessions.at(-1)?.id ?? "", seen = new Set(newest.sessions.map((r) => r.id));
    const older = newest.more ? app.sessions.filter((r) => r.id < last && !seen.has(r.id)) : [];
    change(() => {
        app.more = older.length ? app.more : newest.more;
        app.sessions = there([...newest.sessions, ...older].filter((r) => r.kind !== "executor"));
        app.pinned = there(pinned.sessions.filter((r) => r.pinned));
        app.executors = byParent(there(executors.sessions.filter((r) => r.kind === "executor")));
        app.sessionsLoaded = true;
    });
}

function byParent(rows: SessionRow[]): Map<string, SessionRow[]> {
    const map = new Map<string, SessionRow[]>();
    for (const row of rows) {
        const parent = parentOf(row);
        if (parent) map.set(parent, [...map.get(parent) ?? [], row]);
    }
    return map;
}

let loading = false;
export async function loadMore(): Promise<void> {
    const last = app.sessions.at(-1);
    if (!last || loading || !app.more) return;
    loading = true;
    try {
        const list = await sessionsApi.list({ before: last.id });
        if (app.sessions.at(-1) !== last) return;
        change(() => { app.sessions = [...app.sessions, ...list.sessions.filter((r) => !removed.has(r.id))]; app.more = list.more; });
    } finally {
        loading = false;
    }
}

/** Over titles and texts; a hit in a text says where it is. */
export async function search(): Promise<void> {
    const number = ++searchNumber, q = app.query.trim();
    if (!q) {
        change(() => { app.found = null; });
        return;
    }
    const [titles, texts] = await Promise.all([sessionsApi.list({ q, in: "title", limit: found }), sessionsApi.list({ q, in: "text", limit: found })]);
    if (number !== searchNumber) return;
    const there = (rows: SessionRow[]) => rows.filter((r) => !removed.has(r.id));
    change(() => { app.found = { titles: there(titles.sessions), texts: there(texts.sessions.filter((r) => r.hit)) }; });
}

export function rowOf(id: string | null | undefined): SessionRow | undefined {
    if (!id) return undefined;
    const is = (r: SessionRow) => r.id === id;
    return app.sessions.find(is) ?? app.pinned.find(is) ?? [...app.executors.values()].flat().find(is) ?? app.found?.titles.find(is) ?? app.found?.texts.find(is);
}

export type Entry = { key: string } & ({ kind: "head"; text: string } | { kind: "row"; row: SessionRow; depth: number; executors: number });

/** What the column shows, one under the other. */
export function entries(now = new Date()): Entry[] {
    const list: Entry[] = [];
    const add = (row: SessionRow, group: string, depth = 0) => {
        const own = app.executors.get(row.id) ?? [];
        list.push({ key: `${group}${row.id}`, kind: "row", row, depth, executors: group === "x" ? 0 : own.length });
        if (group !== "x" && app.unfolded.has(row.id)) for (const e of [...own].reverse()) add(e, `${group}${depth + 1}`, depth + 1);
    };
    const head = (text: string) => list.push({ key: `head ${text}`, kind: "head", text });
    if (app.found) {
        if (app.found.titles.length) head("In titles");
        for (const row of app.found.titles) add({ ...row, hit: undefined, hits: undefined }, "t");
        if (app.found.texts.length) head("In what was said");
        for (const row of app.found.texts) add(row, "x");
        return list;
    }
    if (app.pinned.length) head("Pinned");
    for (const row of app.pinned) add(row, "p");
    const pinned = new Set(app.pinned.map((r) => r.id));
    let last = -1;
    for (const row of app.sessions) {
        if (pinned.has(row.id)) continue;
        const group = Math.max(last, dayGroup(row.created_at, now));
        if (group !== last) head(groups[group] ?? monthOf(group, now));
        last = group;
        add(row, "s");
    }
    return list;
}

const groups = ["Today", "Yesterday", "The last 7 days", "The last 30 days"];

/** 0 to 3 are those above, then one a month, going back. */
export function dayGroup(iso: string, now: Date): number {
    const day = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime(), then = new Date(iso);
    const days = Math.ceil((day - then.getTime()) / 86400e3);
    if (days <= 0) return 0;
    if (days <= 1) return 1;
    if (days <= 7) return 2;
    if (days <= 30) return 3;
    return 4 + Math.max(0, (now.getFullYear() - then.getFullYear()) * 12 + now.getMonth() - then.getMonth());
}

function monthOf(group: number, now: Date): string {
    return new Date(now.getFullYear(), now.getMonth() - (group - 4), 1).toLocaleDateString(undefined, { month: "long", year: "numeric" });
}
