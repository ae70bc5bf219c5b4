// What the page knows, in one place. Components read it with useApp(); every change goes through `change`, and redraws are
// batched to one a frame, so that a fast stream costs one render per frame.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, Live } from "./api.ts";
import { sessionsApi } from "./api_sessions.ts";
import { caughtUp, fold, forgetLive, newView, openQuestion, type Question, type View } from "./fold.ts";
import { loadSessions } from "./list.ts";
import { prepare } from "./older.ts";
import type { Answer, Choice, McpServer, Models, SessionRow, System, Tools } from "./types.ts";

export type Page = "chat" | "tools" | "permissions" | "skills" | "agents" | "memory";
export type Panel = "none" | "settings" | "inspector";
export interface Toast { text: string; action?: string; act?: () => void }

export const app = {
    sessions: [] as SessionRow[], more: false, sessionsLoaded: false, // newest first, as far as they are loaded
    pinned: [] as SessionRow[], executors: new Map<string, SessionRow[]>(), // by the session they work for
    query: "", found: null as { titles: SessionRow[]; texts: SessionRow[] } | null,
    selected: new Set<string>(), unfolded: new Set<string>(), // in the list of sessions
    goTo: null as number | null, marked: null as string | null, // the event that is to be shown, the item that it is in
    editing: null as { session: string; seq: number; text: string; begun?: boolean } | null, // the message that is being edited; begun: it has had the focus
    current: null as string | null,
    page: "chat" as Page, tool: null as string | null, // the tool that the page of tools shows
    item: null as string | null, // the skill, agent or pack that its page shows; "" is the form for a new one
    server: null as string | null, // the MCP server that it shows; "" is the form for a new one
    tools: null as Tools | null, servers: [] as McpServer[],
    views: new Map<string, View>(),
    models: null as Models | null,
    system: null as System | null,
    newMode: "default", modeChosen: false, newPlanner: false, // of the next new session; the settings' mode until another is chosen
    connected: true, lostAt: 0,
    panel: "none" as Panel, inspected: null as string | null,
    drawer: false, // the list of sessions over a narrow page
    listHidden: localStorage.getItem("list") === "hidden",
    armed: new Set<string>(), // the questions that answer to keys and clicks (showQuestion)
    sending: new Set<string>(), // the message boxes whose text is on its way, by their draft
    toast: null as Toast | null,
    problem: null as string | null,
    signedOut: false, started: false,
};

const listeners = new Set<() => void>();
let frame = 0; // the redraw that is scheduled
let timer: ReturnType<typeof setTimeout> | undefined;
let pauseMs = 0;

/** Changes what the page knows and redraws, once a frame however much arrives. */
export function change(fn: () => void): void {
    fn();
    clearTimeout(timer);
    timer = undefined;
    if (document.hidden) timer = setTimeout(flush, 50);
    else frame ||= requestAnimationFrame(flush);
}

/** The same for what streams: what is costly to draw is drawn less often, so that time stays free for keys and for what arrives. */
function changeLive(fn: () => void): void {
    if (!pauseMs || document.hidden) return change(fn);
    fn();
    if (!frame) timer ??= setTimeout(() => change(() => {}), pauseMs);
}

const afterFrame = new MessageChannel();
function flush(): void {
    frame = 0;
    clearTimeout(timer);
    timer = undefined;
    const began = performance.now();
    for (const l of [...listeners]) l();
    afterFrame.port1.onmessage = () => {
        const cost = performance.now() - began;
        pauseMs = cost > 24 ? Math.min(1000, 3 * cost) : 0;
    };
    afterFrame.port2.postMessage(null);
}

/** Draws the component anew when one of the values that `pick` names is another one. */
export function useApp(pick: () => unknown[]): typeof app {
    const [, redraw] = useState(0);
    const latest = useRef<unknown[]>([]);
    const picker = useRef(pick);
    picker.current = pick;
    latest.current = pick();
    useLayoutEffect(() => {
        const listener = () => {
            const next = picker.current();
            if (next.length !== latest.current.length || next.some((v, i) => v !== latest.current[i])) redraw((n) => n + 1);
        };
        listeners.add(listener);
        listener(); // something may have changed between drawing and here
        return () => { listeners.delete(listener); };
    }, []);
    return app;
}

const viewsKept = 8;
export function view(id: string): View {
    let v = app.views.get(id);
    if (v) return v;
    app.views.set(id, v = newView(id));
    for (const old of app.views.keys()) {
        if (app.views.size <= viewsKept) break;
        if (old !== app.current && old !== id) app.views.delete(old);
    }
    return v;
}

export function currentView(): View | null {
    return app.current ? view(app.current) : null;
}

let live: Live | null = null;

const liveListeners: ((what: string) => void)[] = [];
/** Calls `fn` when files of a kind changed ("skills", "agents"), and with "up" when the connection is back. */
export function onLive(fn: (what: string) => void): void {
    liveListeners.push(fn);
}
const tellLive = (what: string) => { for (const fn of liveListeners) fn(what); };

const readMs = 4000;
let saidAt = 0;

/** Runs an action; a failure is said at the foot of the page in the server's own words. It goes with the next success, but not before
 * it can be read: lists are fetched again all the time, and that they came says nothing of what went wrong. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
        const result = await action();
        if (app.problem && Date.now() - saidAt > readMs) change(() => { app.problem = null; });
        return result;
    } catch (e) {
        saidAt = Date.now();
        if (signedOut(e)) return undefined;
        change(() => { app.problem = e instanceof Error ? e.message : String(e); });
        return undefined;
    }
}

/** Whether the server does not know this browser (any more): then only its one-time address helps. */
function signedOut(e: unknown): boolean {
    if (!(e instanceof ApiError) || e.status !== 401) return false;
    live?.close();
    change(() => { app.signedOut = true; });
    return true;
}

async function loadAll(): Promise<void> {
    await attempt(async () => {
        const [system, models, settings] = await Promise.all([api.system(), api.models(), api.settings(), loadSessions()]);
        const mode = typeof settings.mode === "string" && settings.mode !== "bypass" ? settings.mode : "default";
        change(() => Object.assign(app, { system, models }, app.modeChosen ? {} : { newMode: mode }));
    });
}

export async function start(): Promise<void> {
    window.addEventListener("hashchange", () => { if (location.hash !== followed) followHash(); });
    const loaded = loadAll();
    live = new Live({
        event: (id, ev) => changeLive(() => fold(view(id), ev)),
        caughtUp: (id, _seq, running) => change(() => caughtUp(view(id), running)),
        sessions: listChanged,
        tools: () => { if (app.tools) void attempt(loadTools); },
        other: tellLive,
        connection: (up) => {
            if (up && app.lostAt && app.started) { // the server may be another one now
                void loadAll();
                if (app.current) void watch(app.current);
                if (app.tools) void attempt(loadTools);
                tellLive("up");
            }
            change(() => Object.assign(app, { connected: up, lostAt: up ? 0 : app.lostAt || Date.now() }));
        },
        refused: () => { api.system().catch(signedOut); },
        resume: (id) => {
            change(() => forgetLive(view(id)));
            return view(id).lastSeq;
        },
    });
    followHash();
    await loaded;
    change(() => { app.started = true; });
}

let listTimer: ReturnType<typeof setTimeout> | undefined;
function listChanged(): void {
    listTimer ??= setTimeout(() => {
        listTimer = undefined;
        void attempt(loadSessions);
    }, 150);
}

export async function loadTools(): Promise<void> {
    const [tools, mcp] = await Promise.all([api.tools(), api.mcp()]);
    change(() => { app.tools = tools; app.servers = mcp.servers; });
}

/** A name of the address; one that is no encoding stands for itself. */
function decoded(text: string): string {
    try { return decodeURIComponent(text); } catch { return text; }
}

let followed: string | null = null;

function followHash(): void {
    followed = location.hash;
    const session = /^#\/s\/([0-9a-f-]{36})(?:\/(\d{1,15}))?$/.exec(location.hash);
    const id = session?.[1] ?? null;
    const tools = /^#\/tools(?:\/([A-Za-z0-9_.-]{1,128}))?$/.exec(location.hash);
    const server = /^#\/mcp(?:\/([^/]+))?$/.exec(location.hash);
    const place = /^#\/(permissions|skills|agents|memory)(?:\/([^/]*))?$/.exec(location.hash);
    const isTools = tools !== null || server !== null;
    change(() => Object.assign(app, { page: isTools ? "tools" : place?.[1] ?? "chat", tool: tools?.[1] ?? null, server: server ? decoded(server[1] ?? "") : null,
        item: place?.[2] === undefined ? null : decoded(place[2]), drawer: false }));
    if (isTools && !app.tools) void attempt(loadTools);
    if (session?.[2]) change(() => { app.goTo = Number(session[2]); });
    if (app.page !== "chat" || id === app.current) return; // the session stays open behind the other pages
    if (app.current) live?.unsubscribe(app.current);
    change(() => { Object.assign(app, { current: id, inspected: null, drawer: false, marked: null, goTo: session?.[2] ? Number(session[2]) : null }); });
    if (id) void watch(id);
}

/** An address of a session that is not there (any more) leads to a new one. */
function gone(e: unknown): never {
    if (e instanceof ApiError && e.status === 404) open(null);
    throw e;
}

/** What the server cannot open is said in its place; everything else as usual. */
function failed(v: View, e: unknown): never | false {
    if (!(e instanceof ApiError) || e.status === 0 || e.status === 401 || e.status === 404) return gone(e);
    change(() => { v.failed = e.message; v.rev++; });
    return false;
}

/** What comes from here on, and the end of what there is already. */
export async function watch(id: string): Promise<void> {
    const v = view(id);
    if (v.failed) change(() => { v.failed = null; v.rev++; });
    if (!v.prepared && await attempt(() => prepare(v).then(() => true, (e) => failed(v, e))) !== true) return; // without a server: when it is there again
    if (app.current === id) live?.subscribe(id);
}

export function openTool(name: string | null): void {
    location.hash = name ? `#/tools/${name}` : "#/tools";
}

export function open(id: string | null, seq?: number): void {
    location.hash = id ? `#/s/${id}${seq ? `/${seq}` : ""}` : "";
    followHash(); // at once: what is typed now is meant for what was opened
    flush();
    if (!id) focusComposer();
}

/** Brings what an event of the open session became into the view, and marks it. */
export function goToEvent(seq: number): void {
    const over = matchMedia("(max-width: 1180px)").matches; // the inspector lies over the conversation
    change(() => Object.assign(app, { goTo: seq, marked: null }, over ? { panel: "none" } : {}));
}

/** The focus goes to a question; one that is too far away to be drawn comes into the view. */
export function toQuestion(id: string, seq?: number): void {
    const box = document.querySelector<HTMLElement>(`.question[data-question="${id}"]`);
    if (!box) return seq === undefined ? undefined : goToEvent(seq);
    box.scrollIntoView({ block: "center" });
    box.focus({ preventScroll: true });
}

/** Where the text of a message box is kept, in sessionStorage; `bx-draft` tells a box that it is another now. */
export const draftOf = (id: string | undefined) => `draft:${id ?? "new"}`;

/** Not on a touch screen, where focus opens the keyboard. */
export function focusComposer(): void {
    if (matchMedia("(hover: hover)").matches) window.dispatchEvent(new Event("bx-focus"));
}

export async function begin(model?: string): Promise<string> {
    const { id } = await api.create({ ...(model ? { model } : {}), mode: app.newMode });
    if (app.newPlanner) await api.patch(id, { planner: true });
    return id;
}

/** Sends into the open session, or into a new one, of which `begun` hears. Resolves to false when the text must be kept. */
export async function send(text: string, model?: string, begun?: (id: string) => void): Promise<boolean> {
    const done = await attempt(async () => {
        let id = app.current;
        if (!id) {
            id = await begin(model);
            begun?.(id);
            if (!app.current) open(id);
        }
        await sessionsApi.send(id, text);
        return true;
    });
    return done === true;
}

export async function stop(): Promise<void> {
    const v = currentView();
    if (!v) return;
    change(() => { v.stopping = true; v.rev++; });
    if (await attempt(async () => { await api.stop(v.id); return true; }) !== true) change(() => { v.stopping = false; v.rev++; });
}

/** `session`: the one that asks, the open one or an executor of it. */
export async function answer(session: string, question: string, choice: Choice, text = "", answers?: Answer[]): Promise<void> {
    await attempt(() => api.answer(session, question, choice, text, answers));
    focusComposer();
}

const shown = new Set<string>();
const armAfter = 400; // ms

/** A question is on the page. It answers to keys and clicks when it has stood where it is for a moment: what is pressed as it appears, or as it moves to the
 *  place of another that goes, was meant for something else. Gives what takes it off the page. */
export function showQuestion(id: string): () => void {
    const arm = (ids: string[]) => setTimeout(() => change(() => { app.armed = new Set([...app.armed, ...ids.filter((i) => shown.has(i))]); }), armAfter);
    shown.add(id);
    const timer = arm([id]);
    return () => {
        clearTimeout(timer);
        shown.delete(id);
        change(() => { app.armed = new Set(); });
        arm([...shown]);
    };
}

/** The open question of the open session. */
export function pendingQuestion() {
    const v = currentView();
    return v && v.running ? openQuestion(v) : null;
}

/** The question that answers to keys: the one that has the focus, else the session's own, else the first of its executors'. */
export function keyedQuestion(): { session: string; question: Question } | null {
    const v = currentView(), own = pendingQuestion(), asked = [...v?.side.asking.values() ?? []];
    const focused = document.activeElement?.closest<HTMLElement>(".question")?.dataset.question, at = asked.find((a) => a.question.id === focused);
    if (at) return { session: at.executor, question: at.question };
    if (own) return { session: v!.id, question: own.question };
    return asked[0] ? { session: asked[0].executor, question: asked[0].question } : null;
}

let toastTimer: ReturnType<typeof setTimeout> | undefined;
export function toast(next: Toast | null, forMs = 6000): void {
    clearTimeout(toastTimer);
    change(() => { app.toast = next; });
    if (next) toastTimer = setTimeout(() => { change(() => { if (app.toast === next) app.toast = null; }); }, forMs);
}

export function showList(shown: boolean): void {
    if (matchMedia("(max-width: 900px)").matches) change(() => { app.drawer = shown; });
    else {
        localStorage.setItem("list", shown ? "shown" : "hidden");
        change(() => { app.listHidden = !shown; });
    }
}

export function inspect(call: string | null): void {
    change(() => { app.panel = "inspector"; app.inspected = call; });
}

export async function setMode(mode: string): Promise<void> {
    const id = app.current;
    if (!id) {
        change(() => { app.newMode = mode; app.modeChosen = true; });
        return;
    }
    await attempt(async () => {
        await api.patch(id, { mode });
        change(() => { const v = view(id); v.mode = mode; v.rev++; });
    });
}

export async function setModel(model: string): Promise<void> {
    const id = app.current;
    await attempt(async () => {
        if (id) {
            await api.patch(id, { model });
            change(() => { const v = view(id); v.model = model; v.rev++; });
        } else {
            await api.saveSettings({ model });
            const models = await api.models();
            change(() => { app.models = models; });
        }
    });
}
