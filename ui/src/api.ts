// The server, as the page sees it: fetch for documents, one WebSocket that reconnects by itself for what is live.
import type { Budget } from "./types_sessions.ts";
import type { Answer, Choice, Event, Grant, Json, McpServer, Models, NewGrant, ReceiptLine, SessionRow, System, ToolDetail, ToolResult, Tools } from "./types.ts";

type Mcp = { servers: McpServer[] };

export class ApiError extends Error {
    constructor(readonly status: number, readonly code: string, message: string) { super(message); }
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    let response: Response;
    try {
        response = await fetch(`/api/v1${path}`, { method, headers: body === undefined ? {} : { "Content-Type": "application/json" },
            body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body) });
    } catch {
        throw new ApiError(0, "unreachable", "The server cannot be reached. Is it still running?");
    }
    const text = await response.text();
    let parsed: Record<string, string> = {};
    try { parsed = text ? JSON.parse(text) : {}; } catch { /* not JSON: the status says enough */ }
    if (!response.ok) throw new ApiError(response.status, parsed.code ?? "", parsed.detail ?? parsed.title ?? `The server answered ${response.status}.`);
    return parsed as T;
}

export const api = {
    create: (body: { model?: string; mode?: string }) => call<SessionRow>("POST", "/sessions", body),
    patch: (id: string, body: { title?: string; model?: string; mode?: string; pinned?: boolean; planner?: boolean; budget?: Budget }) => call<SessionRow>("PATCH", `/sessions/${id}`, body),
    stop: (id: string) => call<void>("POST", `/sessions/${id}/stop`, {}),
    answer: (id: string, question: string, choice: Choice, text: string, answers?: Answer[]) =>
        call<void>("POST", `/sessions/${id}/answers`, { question, choice, text, ...(answers ? { answers } : {}) }),
    models: () => call<Models>("GET", "/models"),
    system: () => call<System>("GET", "/system"),
    tools: () => call<Tools>("GET", "/tools"),
    tool: (name: string) => call<ToolDetail>("GET", `/tools/${encodeURIComponent(name)}`),
    setLimits: (name: string, limits: { [key: string]: Json } | null) => call<ToolDetail>("PUT", `/tools/${encodeURIComponent(name)}/limits`, { limits }),
    grants: (session?: string) => call<{ grants: Grant[] }>("GET", `/grants${session ? `?session=${session}` : ""}`),
    grant: (grant: NewGrant) => call<{ id: string }>("POST", "/grants", grant),
    revoke: (id: string, session?: string | null) => call<void>("DELETE", `/grants/${encodeURIComponent(id)}${session ? `?session=${session}` : ""}`),
    runTool: (name: string, input: Json) => call<ToolResult>("POST", `/tools/${encodeURIComponent(name)}/run`, { input }),
    receipts: (tool: string) => call<{ receipts: ReceiptLine[] }>("GET", `/receipts?limit=30&tool=${encodeURIComponent(tool)}`),
    mcp: () => call<Mcp>("GET", "/mcp"),
    mcpPut: (name: string, entry: Json) => call<Mcp>("PUT", `/mcp/${encodeURIComponent(name)}`, { entry }),
    mcpRemove: (name: string) => call<Mcp>("DELETE", `/mcp/${encodeURIComponent(name)}`),
    mcpRestart: (name: string) => call<Mcp>("POST", `/mcp/${encodeURIComponent(name)}/restart`, {}),
    mcpApprove: (name: string, digest: string, tool?: string) => call<Mcp>("POST", `/mcp/${encodeURIComponent(name)}/approve`, tool ? { digest, tool } : { digest }),
    mcpLogin: (name: string) => call<{ url: string }>("POST", `/mcp/${encodeURIComponent(name)}/login`, {}),
    mcpLogout: (name: string) => call<Mcp>("POST", `/mcp/${encodeURIComponent(name)}/logout`, {}),
    settings: () => call<Record<string, Json>>("GET", "/settings"),
    saveSettings: (body: Record<string, Json>) => call<Record<string, Json>>("PUT", "/settings", body),
    saveKey: (provider: string, key: string) => call<void>("PUT", `/providers/${provider}/key`, { key }),
};

export interface LiveHandlers {
    event(session: string, event: Event): void;
    caughtUp(session: string, seq: number, running: boolean): void;
    sessions(): void;
    tools(): void;
    /** Files of this kind changed: "skills", "agents". */
    other(what: string): void;
    connection(up: boolean): void;
    /** A connection could not even be made: there is no server, or it does not know this browser. */
    refused(): void;
    /** Called before each subscription: what is kept, and up to which event. */
    resume(session: string): number;
}

export class Live {
    private socket: WebSocket | null = null;
    private wanted = new Set<string>();
    private attempt = 0;
    private next: ReturnType<typeof setTimeout> | undefined;

    constructor(private readonly on: LiveHandlers) { this.connect(); }

    subscribe(session: string): void {
        if (this.wanted.has(session)) return;
        this.wanted.add(session);
        if (this.socket?.readyState === WebSocket.OPEN) this.say({ op: "subscribe", session, from: this.on.resume(session) + 1 });
    }

    unsubscribe(session: string): void {
        if (this.wanted.delete(session)) this.say({ op: "unsubscribe", session });
    }

    close(): void {
        clearTimeout(this.next);
        if (!this.socket) return;
        this.socket.onclose = null;
        this.socket.close();
    }

    private say(message: object): void {
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    }

    private connect(): void {
        const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
        this.socket = socket;
        let opened = false;
        socket.onopen = () => {
            opened = true;
            this.attempt = 0;
            this.on.connection(true);
            for (const session of this.wanted) this.say({ op: "subscribe", session, from: this.on.resume(session) + 1 });
        };
        socket.onmessage = (m) => this.receive(JSON.parse(String(m.data)));
        socket.onclose = () => {
            this.on.connection(false);
            if (!opened) this.on.refused();
            this.next = setTimeout(() => this.connect(), Math.min(5000, 250 * 2 ** this.attempt++));
        };
    }

    private receive(m: { op: string; session: string; event: Event; seq: number; running: boolean }): void {
        if (m.op === "event") this.on.event(m.session, m.event);
        else if (m.op === "caught_up") this.on.caughtUp(m.session, m.seq, m.running);
        else if (m.op === "sessions") this.on.sessions();
        else if (m.op === "tools") this.on.tools();
        else this.on.other(m.op);
    }
}
