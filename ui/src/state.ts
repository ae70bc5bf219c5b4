// What the page knows, in one place. Components read it with useApp(); every change goes through `change`, and redraws are
// batched to one a frame, so that a fast stream costs one render per frame.
import { useEffect, useState } from "preact/hooks";
import { api, ApiError, Live } from "./api.ts";
import { fold, newView, openQuestion, type View } from "./fold.ts";
import type { Choice, Models, SessionRow, System } from "./types.ts";

export type Panel = "none" | "settings" | "call";

export const app = {
    sessions: [] as SessionRow[], more: false, sessionsLoaded: false, query: "",
    current: null as string | null,
    views: new Map<string, View>(),
    models: null as Models | null,
    system: null as System | null,
    connected: true, lostAt: 0,
    panel: "none" as Panel, inspected: null as string | null, sessionsOpen: false,
    toast: null as { text: string; undo?: () => void } | null,
    problem: null as string | null,
    signedOut: false,
};

const listeners = new Set<() => void>();
let scheduled = false;
export function change(fn: () => void): void {
    fn();
    if (scheduled) return;
    scheduled = true;
    const flush = () => { scheduled = false; for (const l of [...listeners]) l(); };
    document.hidden ? setTimeout(flush, 50) : requestAnimationFrame(flush);
}

export function useApp(): typeof app {
    const [, redraw] = useState(0);
    useEffect(() => {
        const listener = () => redraw((n) => n + 1);
        listeners.add(listener);
        return () => { listeners.delete(listener); };
    }, []);
    return app;
}

export function view(id: string): View {
    let v = app.views.get(id);
    if (!v) app.views.set(id, v = newView(id));
    return v;
}

export function currentView(): View | null {
    return app.current ? view(app.current) : null;
}

let live: Live | null = null;

/** Runs an action; a failure is said at the foot of the page in the server's own words. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
        const result = await action();
        if (app.problem) change(() => { app.problem = null; });
        return result;
    } catch (e) {
        if (e instanceof ApiError && e.status === 401) change(() => { app.signedOut = true; });
        else change(() => { app.problem = e instanceof Error ? e.message : String(e); });
        return undefined;
    }
}

export async function start(): Promise<void> {
    await attempt(async () => {
        app.system = await api.system();
        [app.models] = await Promise.all([api.models(), loadSessions()]);
    });
    change(() => {});
    if (app.signedOut) return;
    live = new Live({
        event: (id, ev) => change(() => fold(view(id), ev)),
        caughtUp: (id, _seq, running) => change(() => {
            const v = view(id);
            v.caughtUp = true;
            if (!running && v.running) v.running = false;
        }),
        sessions: () => { void attempt(loadSessions); },
        connection: (up) => change(() => { app.connected = up; if (!up && !app.lostAt) app.lostAt = Date.now(); if (up) app.lostAt = 0; }),
        lastSeq: (id) => view(id).lastSeq,
    });
    window.addEventListener("hashchange", followHash);
    followHash();
}

let listNumber = 0;
export async function loadSessions(): Promise<void> {
    const number = ++listNumber;
    const list = await api.sessions(undefined, app.query || undefined);
    if (number !== listNumber) return; // a newer answer is on its way
    change(() => { app.sessions = list.sessions; app.more = list.more; app.sessionsLoaded = true; });
}

export async function loadMore(): Promise<void> {
    const last = app.sessions[app.sessions.length - 1];
    if (!last) return;
    const list = await api.sessions(last.id, app.query || undefined);
    change(() => { app.sessions = [...app.sessions, ...list.sessions]; app.more = list.more; });
}

function followHash(): void {
    const id = /^#\/s\/([0-9a-f-]{36})$/.exec(location.hash)?.[1] ?? null;
    if (id === app.current) return;
    if (app.current) live?.unsubscribe(app.current);
    change(() => { app.current = id; app.inspected = null; app.sessionsOpen = false; if (app.panel === "call") app.panel = "none"; });
    if (id) live?.subscribe(id);
}

export function open(id: string | null): void {
    location.hash = id ? `#/s/${id}` : "";
}

/** Sends into the open session, or into a new one. Resolves to false when the text must be kept. */
export async function send(text: string, options: { model?: string } = {}): Promise<boolean> {
    const done = await attempt(async () => {
        let id = app.current;
        if (!id) id = (await api.create(options.model ? { model: options.model } : {})).id;
        if (app.current !== id) open(id);
        await api.send(id, text);
        return true;
    });
    return done === true;
}

export async function stop(): Promise<void> {
    if (app.current) await attempt(() => api.stop(app.current!));
}

export async function answer(question: string, choice: Choice, text = ""): Promise<void> {
    if (app.current) await attempt(() => api.answer(app.current!, question, choice, text));
}

export function pendingQuestion() {
    const v = currentView();
    return v && v.running ? openQuestion(v) : null;
}

/** Deletes with a way back: the server is asked only when the notice is gone. */
export function removeSession(row: SessionRow): void {
    const before = app.sessions;
    const timer = setTimeout(() => { void finish(); }, 6000);
    const finish = async () => { change(() => { app.toast = null; }); await attempt(() => api.remove(row.id)); await attempt(loadSessions); };
    if (app.current === row.id) open(null);
    change(() => {
        app.sessions = before.filter((s) => s.id !== row.id);
        app.toast = { text: `Deleted “${row.title || "Untitled"}”.`, undo: () => { clearTimeout(timer); change(() => { app.sessions = before; app.toast = null; }); } };
    });
}

export async function rename(id: string, title: string): Promise<void> {
    await attempt(() => api.patch(id, { title }));
    await attempt(loadSessions);
}

export async function setModel(model: string): Promise<void> {
    await attempt(async () => {
        if (app.current) {
            await api.patch(app.current, { model });
            change(() => { view(app.current!).model = model; });
        } else {
            await api.saveSettings({ model });
        }
        const models = await api.models();
        change(() => { app.models = models; });
    });
}

export async function setMode(mode: string): Promise<void> {
    await attempt(async () => {
        if (!app.current) await api.saveSettings({ mode });
        else {
            await api.patch(app.current, { mode });
            change(() => { view(app.current!).mode = mode; });
        }
    });
}
