// The shapes of docs/events.md and docs/api.md.
import type { SessionEvent } from "./types_sessions.ts";

export type Block = { type: "text"; text: string } | { type: "image"; mime: string; data: string };
export type Content = string | Block[];
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Level = "none" | "read_only" | "write" | "execute" | "dangerous" | "forbidden";
/** A word of the question's own `choices`: which there are depends on its kind (docs/events.md, Questions). */
export type Choice = string;
export type QuestionKind = "permission" | "network" | "trust" | "ask" | "plan";
export interface Option { label: string; description?: string }
export interface Asked { question: string; header?: string; options?: Option[]; multi?: boolean }
export interface Answer { selected?: string[]; text?: string }
export interface Todo { content: string; status: "pending" | "in_progress" | "completed"; activeForm?: string }

export interface Receipt {
    granted?: { limits?: Record<string, number>; [key: string]: unknown };
    used?: Record<string, number>;
    [key: string]: unknown;
}

interface Base { seq?: number; t?: string; run?: string }
export type Event = Base & (
    | { type: "run_start"; model: string; mode: string; max_turns: number }
    | { type: "user"; text: string; queued?: string }
    | { type: "assistant"; turn: number; text: string; reasoning?: string; calls?: { id: string; tool: string; input: Json }[]; finish: string }
    | { type: "permission"; call: string; tool: string; decision: "allow" | "deny"; reason: string; by: string }
    | { type: "question"; question: string; kind?: QuestionKind; call: string; tool: string; level?: Level; input?: Json; text: string; choices: Choice[]; questions?: Asked[]; plan?: string; grant?: { tool: string; host: string }; server?: string; approved?: McpText; now?: McpText }
    | { type: "answer"; question: string; choice: Choice; text?: string; from: string; answers?: Answer[] }
    | { type: "tool_start"; turn: number; call: string; tool: string; level: Level; limits?: Record<string, number> }
    | { type: "tool_result"; turn: number; call: string; tool: string; content: Content; is_error: boolean; metadata?: Record<string, Json>; limit: string | null; receipt: Receipt | null; denied?: Denied; ms: number }
    | { type: "not_started"; call: string; tool: string; commands: { command: string; pattern: string; rule?: string; times: number }[]; text: string }
    | { type: "guarded"; call: string; tool: string; paths: string[]; text: string }
    | { type: "usage"; for?: string; turn: number; input_tokens: number; output_tokens: number; cached_tokens: number; window: number; estimated: number; ms: number; first_token_ms: number }
    | { type: "error"; where: string; code: string; text: string; hint?: string }
    | { type: "limit"; limit: string; text: string }
    | { type: "todo"; call: string; todos: Todo[] }
    | { type: "note"; call: string; text: string; status: string; attachments?: { path: string; size?: number }[] }
    | { type: "mode"; mode: string }
    | { type: "model"; model: string }
    | { type: "title"; title: string }
    | { type: "run_end"; reason: string; turns: number; ms: number }
    | { type: "delta"; turn: number; text?: string; reasoning?: string }
    | { type: "delta_call"; turn: number; index: number; tool?: string; arguments?: string }
    | { type: "delta_reset"; turn: number }
    | { type: "delta_output"; call: string; stream: string; text: string }
    | { type: "retry"; turn: number; attempt: number; wait_ms: number; reason: string }
    | { type: "state"; phase: string; text?: string }
    | SessionEvent
);

export interface SessionRow {
    id: string; title: string; created_at: string; updated_at: string; model: string; mode: string; events: number;
    running: boolean; waiting: boolean; damaged: boolean;
    kind?: "chat" | "executor"; parent?: string | { session: string } | null; pinned?: boolean; planner?: boolean; agent?: string;
    forked_from?: { session: string; seq: number } | null;
    input_tokens?: number; output_tokens?: number; cost?: number | null; hit?: { seq: number; text: string }; hits?: { seq: number; text: string }[];
}
export interface ModelInfo { id: string; name: string; provider: string; local: boolean; window: number | null; tools: string; available: boolean; why: string }
export interface ProviderInfo { id: string; name: string; base_url: string; has_key: boolean; key_env: string }
export interface Models { default: string; models: ModelInfo[]; providers: ProviderInfo[] }
export interface System {
    version: string; workspace: string; root: string; offline: boolean; embedded_model: boolean;
    walls: { landlock: boolean; landlock_abi: number; seccomp: boolean; summary: "up" | "partly" | "down"; why: string };
}
export interface LimitInfo { value: number; unit: string; from: string; key?: string; min?: number; max?: number; default?: number; setting?: string; what?: string }
/** What the host refused in mid-call, and the line of settings.json that would allow it. */
export interface Denied { limit: string; host?: string; path?: string; command?: string; setting?: string; line?: string }
export interface Grant {
    id: string; tool: string; host?: string; path?: string; command?: string; limits?: Json; verdict?: string; scope: string; session?: string | null;
    expires_at?: string | number | null; calls_left?: number | null; state: "active" | "expired" | "used_up";
}
export interface NewGrant { tool: string; host?: string; path?: string; limits?: Json; scope: string; session?: string; expires_in_s?: number; max_calls?: number }
export interface Reach { value: Json; from: string; key?: string; limit?: string; what?: string }
/** GET /tools/NAME: what settings, grants and descriptor make of it. */
export interface ToolDetail extends ToolInfo {
    version?: string | null; wants?: Json; reach?: Record<string, Reach>; mounts?: { host: string; guest: string; writable: boolean }[]; problem?: string | null;
    settings?: { [key: string]: Json } | null; grants?: Grant[];
}
export interface ToolInfo {
    name: string; description: string; level: Level; kind: string; source: string; input_schema: Json; digest?: string | null; example?: Json;
    limits: Record<string, LimitInfo>;
}
export interface Tools { tools: ToolInfo[]; broken: { path: string; reason: string }[]; hidden: { name: string; path: string; by: string }[]; settings_problem?: string | null }
export interface ToolResult { denied?: Denied; content: Content; is_error: boolean; metadata?: Record<string, Json> | null; limit: string | null; receipt: Receipt | null }
/** A line of receipts/<day>.jsonl. */
export interface ReceiptLine { id: string; t: string; tool: string; verdict: string; limit?: string | null; reason?: string | null; used?: Record<string, number>; [key: string]: unknown }
/** A tool's words as an MCP server says them. */
export interface McpText { name: string; description?: string; inputSchema?: Json }
/** `name` is what it is called there, `tool` what it is called here; an approval names the digest. */
export interface McpTool { name: string; tool: string; state: "ok" | "changed" | "unapproved" | "gone"; description: string; digest: string; approved?: McpText; now?: McpText }
export interface McpServer {
    name: string; from: string; transport: string; what: string; entry?: Json; digest: string; state: "idle" | "starting" | "up" | "failed" | "disabled" | "unapproved" | "broken";
    error?: string | null; server?: string | null; protocol?: string | null; signed_in?: boolean; trusted?: boolean; level?: string; stderr?: string; tools: McpTool[];
}
