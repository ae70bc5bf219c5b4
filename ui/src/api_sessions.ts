// What is asked of sessions: the list, a session's events, commands, the queue, export and import.
import { call } from "./api.ts";
import type { BulkAnswer, Command, CommandAnswer, FileHit, Listing, ListQuery, SessionDetail } from "./types_sessions.ts";
import type { Event, SessionRow } from "./types.ts";

const query = (q: ListQuery) => new URLSearchParams(Object.entries(q).filter(([, v]) => v !== undefined && v !== "" && v !== false).map(([k, v]) => [k, v === true ? "1" : String(v)]));

export const sessionsApi = {
    list: (q: ListQuery) => call<Listing>("GET", `/sessions?${query({ limit: 100, ...q })}`),
    get: (id: string) => call<SessionDetail>("GET", `/sessions/${id}`),
    events: (id: string, from: number, limit: number) => call<{ events: Event[]; next: number | null }>("GET", `/sessions/${id}/events?from=${from}&limit=${limit}`),
    send: (id: string, text: string, place: { replace?: number; stop?: boolean } = {}) => call<{ run?: string; queued?: string }>("POST", `/sessions/${id}/messages`, { text, ...place }),
    takeBack: (id: string, queued: string) => call<void>("DELETE", `/sessions/${id}/queued/${encodeURIComponent(queued)}`),
    command: (id: string, text: string) => call<CommandAnswer>("POST", `/sessions/${id}/command`, { text }),
    commands: () => call<{ commands: Command[] }>("GET", "/commands"),
    files: (q: string) => call<{ files: FileHit[]; cut: boolean }>("GET", `/files?q=${encodeURIComponent(q)}&limit=20`),
    fork: (id: string, seq?: number) => call<SessionRow>("POST", `/sessions/${id}/fork`, seq === undefined ? {} : { seq }),
    remove: (id: string) => call<void>("DELETE", `/sessions/${id}`),
    restore: (id: string) => call<SessionRow>("POST", `/sessions/${id}/restore`, {}),
    bulk: (ids: string[], what: "delete" | "restore" | "pin" | "unpin") => call<BulkAnswer>("POST", "/sessions/bulk", { ids, do: what }),
    importText: (text: string) => call<{ session: SessionRow; warnings: string[] }>("POST", "/sessions/import", text),
    exportPath: (id: string, format: "json" | "html") => `/api/v1/sessions/${id}/export?format=${format}`,
};

const near = 100; // events: nothing but the results of its siblings comes behind an open question

/** The event of a session's open question, or null. */
export async function questionEvent(id: string): Promise<Extract<Event, { type: "question" }> | null> {
    const { session, question } = await sessionsApi.get(id);
    if (!question) return null;
    const { events } = await sessionsApi.events(id, Math.max(1, session.events - near), near + 1);
    for (const e of events) if (e.type === "question" && e.question === question) return e;
    return null;
}
