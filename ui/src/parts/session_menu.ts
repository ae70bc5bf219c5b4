import { sessionsApi } from "../api_sessions.ts";
import { fork, pin, remove } from "../sessions.ts";
import { change, app } from "../state.ts";
import type { SessionRow } from "../types.ts";
import type { Entry } from "./menu.tsx";

/** What can be done with one session, in its row and above its conversation. */
export function sessionEntries(row: Pick<SessionRow, "id" | "pinned" | "kind">, rename: () => void, inList: boolean): Entry[] {
    const entries: Entry[] = [
        { name: "Rename", icon: "pencil", act: rename },
        ...(row.kind === "executor" ? [] : [{ name: row.pinned ? "Unpin" : "Pin", icon: row.pinned ? "pinOff" : "pin", act: () => { void pin([row.id], !row.pinned); } } as Entry]),
        { name: "Fork", icon: "fork", act: () => { void fork(row.id); } },
        { name: "Export as JSON", icon: "download", href: sessionsApi.exportPath(row.id, "json") },
        { name: "Export as HTML", icon: "download", href: sessionsApi.exportPath(row.id, "html") },
    ];
    if (inList) entries.push({ name: "Select", icon: "check", act: () => change(() => { app.selected = new Set([...app.selected, row.id]); }) });
    entries.push({ name: "Delete", icon: "trash", tone: "stop", act: () => { void remove([row.id]); } });
    return entries;
}
