// What can be done with sessions: rename, pin, delete and take back, fork, edit, import, commands.
import { api } from "./api.ts";
import { sessionsApi } from "./api_sessions.ts";
import { loadSessions, removed, rowOf } from "./list.ts";
import { app, attempt, begin, change, draftOf, focusComposer, open, toast, view } from "./state.ts";
import { openPlace } from "./open_place.ts";
import type { View } from "./fold.ts";
import type { Budget, Queued } from "./types_sessions.ts";
import { shownItems } from "./versions.ts";
import { plural } from "./words.ts";

export const titleOf = (id: string) => rowOf(id)?.title || "Untitled";

export async function rename(id: string, title: string): Promise<void> {
    await attempt(async () => { await api.patch(id, { title }); await loadSessions(); });
}

export async function pin(ids: string[], pinned: boolean): Promise<void> {
    await attempt(async () => {
        if (ids.length === 1) await api.patch(ids[0]!, { pinned });
        else failures(await sessionsApi.bulk(ids, pinned ? "pin" : "unpin"), pinned ? "pinned" : "unpinned");
        await loadSessions();
    });
}

function failures({ failed }: { failed: { id: string; detail: string }[] }, word: string): void {
    if (failed.length) throw new Error(`${plural(failed.length, "session")} could not be ${word}: ${failed[0]!.detail}`);
}

/** Deletes with a way back: the server keeps them in its trash. */
export async function remove(ids: string[]): Promise<void> {
    const said = ids.length === 1 ? `Deleted “${titleOf(ids[0]!)}”.` : `Deleted ${plural(ids.length, "session")}.`;
    const was = app.current;
    for (const id of ids) removed.add(id);
    change(() => {
        app.sessions = app.sessions.filter((r) => !removed.has(r.id));
        app.pinned = app.pinned.filter((r) => !removed.has(r.id));
        if (app.found) app.found = { titles: app.found.titles.filter((r) => !removed.has(r.id)), texts: app.found.texts.filter((r) => !removed.has(r.id)) };
        app.selected = new Set();
    });
    if (was && ids.includes(was)) open(null);
    let gone: string[] = [];
    await attempt(async () => {
        if (ids.length === 1) { await sessionsApi.remove(ids[0]!); gone = ids; }
        else {
            const answer = await sessionsApi.bulk(ids, "delete");
            gone = answer.done;
            failures(answer, "deleted");
        }
    });
    for (const id of ids) removed.delete(id);
    if (gone.length) {
        toast({ text: said, action: "Undo", act: () => {
            toast(null);
            void attempt(async () => {
                if (gone.length === 1) await sessionsApi.restore(gone[0]!);
                else failures(await sessionsApi.bulk(gone, "restore"), "brought back");
                await loadSessions();
                if (was && gone.includes(was) && !app.current) open(was);
            });
        } }, 10_000);
        for (const id of gone) app.views.delete(id);
    }
    await attempt(loadSessions);
}

export async function fork(id: string, seq?: number, draft?: string): Promise<void> {
    await attempt(async () => {
        const row = await sessionsApi.fork(id, seq);
        if (draft) sessionStorage.setItem(draftOf(row.id), draft);
        await loadSessions();
        open(row.id);
        toast({ text: seq === undefined ? "This is a copy of the session; the first one stays as it is." : "This is a new session with everything up to there; the first one stays as it is." });
    });
}

/** Another session with what was there before the message, which goes into its box. */
export async function forkBefore(v: View, seq: number, text: string): Promise<void> {
    const before = shownItems(v).findLast((i) => i.seq !== undefined && i.seq < seq && i.kind !== "versions");
    if (before) return fork(v.id, before.until ?? before.seq, text);
    sessionStorage.setItem(draftOf(undefined), text);
    open(null);
}

/** Sends the message again in other words; what came after it is kept as an earlier version. A run that is at work is stopped for it. */
export async function resend(v: View, seq: number, text: string): Promise<boolean> {
    return await attempt(async () => {
        await sessionsApi.send(v.id, text, { replace: seq, ...(v.running ? { stop: true } : {}) });
        if (app.editing?.session === v.id && app.editing.seq === seq) change(() => { app.editing = null; });
        if (app.current === v.id) focusComposer();
        return true;
    }) === true;
}

const isCommand = (q: Queued) => q.skill !== undefined || q.compact !== undefined || q.message !== undefined;
/** As it is typed into the box: a message that begins with a slash has two there. */
const asTyped = (q: Queued) => (!isCommand(q) && q.text.startsWith("/") ? `/${q.text}` : q.text);

/** Into the session's message box, whether it is open or not. */
function addToDraft(id: string, text: string): void {
    const draft = draftOf(id);
    sessionStorage.setItem(draft, [sessionStorage.getItem(draft), text].filter(Boolean).join("\n"));
    window.dispatchEvent(new CustomEvent("bx-draft", { detail: draft }));
    if (app.current === id) focusComposer();
}

export async function takeBack(v: View, queued: Queued): Promise<void> {
    await attempt(async () => {
        await sessionsApi.takeBack(v.id, queued.id);
        change(() => { v.queued = v.queued.filter((q) => q.id !== queued.id); v.rev++; });
        addToDraft(v.id, asTyped(queued));
    });
}

/** What was left waiting when its run was stopped. */
export async function sendNow(v: View, queued: Queued): Promise<void> {
    await attempt(async () => {
        await sessionsApi.takeBack(v.id, queued.id);
        change(() => { v.queued = v.queued.filter((q) => q.id !== queued.id); v.rev++; });
        const again: Promise<unknown> = isCommand(queued) ? sessionsApi.command(v.id, queued.text) : sessionsApi.send(v.id, queued.text);
        await again.catch((e) => { addToDraft(v.id, asTyped(queued)); throw e; });
    });
    focusComposer();
}

export async function setPlanner(planner: boolean): Promise<void> {
    const id = app.current;
    if (!id) return change(() => { app.newPlanner = planner; });
    await attempt(async () => {
        await api.patch(id, { planner });
        change(() => { const v = view(id); v.planner = planner; v.rev++; });
    });
}

export async function setBudget(id: string, budget: Budget): Promise<boolean> {
    return await attempt(async () => { await api.patch(id, { budget }); return true; }) === true;
}

export async function importFiles(files: Iterable<File>): Promise<void> {
    for (const file of files) {
        await attempt(async () => {
            if (file.size > 64 * 1024 * 1024) throw new Error(`${file.name} is larger than 64 MiB: this is no session.`);
            const { session, warnings } = await sessionsApi.importText(await file.text()).catch((e: Error) => { throw new Error(`${file.name} was not imported: ${e.message}`); });
            await loadSessions();
            open(session.id);
            toast({ text: `Imported “${session.title || "Untitled"}”.${warnings.length ? ` ${warnings.join(" ")}` : ""}` }, warnings.length ? 15_000 : 6000);
        });
    }
}

/** Thrown when a command is not known or not right: said at the box, where it was typed. */
export async function command(text: string): Promise<void> {
    const fresh = app.current === null, id = app.current ?? await begin();
    const answer = await sessionsApi.command(id, text).catch(async (e) => {
        if (fresh) await sessionsApi.remove(id).catch(() => {});
        throw e;
    });
    if (answer.kind === "text" || answer.kind === "run" || answer.kind === "queued") {
        if (fresh) open(id);
        if (answer.kind === "text") note(view(id), text, answer.text);
        return;
    }
    if (fresh) await sessionsApi.remove(id).catch(() => {}); // nothing was said in it
    if (answer.kind === "session") open(answer.session);
    else openPlace(answer.what);
}

let notes = 0;
function note(v: View, said: string, text: string): void {
    change(() => {
        v.items.push({ kind: "local", key: `local${++notes}`, rev: 0, command: said, text });
        v.rev++;
        v.news++;
    });
}
