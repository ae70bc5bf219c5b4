// The shapes of sessions: what their events beside messages and calls hold (docs/events.md), and what is asked of a session (docs/api.md).
import type { SessionRow, Todo } from "./types.ts";

/** What an executor does just now, as its manager's log says it. */
export interface Executor {
    call: string; executor: string; agent: string; description: string; state: "queued" | "running" | "done" | "failed" | "stopped" | "limit"; reason?: string | null;
    turns?: number; input_tokens?: number; output_tokens?: number; cost?: number | null; ms?: number; worktree?: string | { id?: string; branch?: string; state?: string } | null;
}
export interface Lost { turns?: number; results?: number; tokens?: number; files?: string[] }

export type SessionEvent =
    | { type: "pin"; pinned: boolean }
    | { type: "planner"; planner: boolean }
    | { type: "rewind"; to: number }
    | ({ type: "queued" } & Queued)
    | { type: "unqueue"; id: string; text?: string; why?: string }
    | { type: "compact"; by: string; queued?: string; upto: number; summary: string; kept?: string[]; lost?: Lost; before_tokens?: number; after_tokens?: number }
    | { type: "fact"; id: string; text: string; from: string }
    | { type: "fact_drop"; id: string }
    | { type: "attach" | "detach"; pack: string }
    | { type: "cache_break"; turn?: number; part: string; what: string }
    | ({ type: "executor" | "executor_state" } & Executor)
    | { type: "skill"; call?: string; skill: string; active: boolean; tools?: string[] | null };

/** What waits for the next turn: a message, or what a command of the box began (a skill, a request to compact, the message of another command). */
export interface Queued { id: string; text: string; skill?: string; args?: string; compact?: string; message?: string }
export interface Budget { tokens?: number | null; money?: number | null; calls?: number | null; time?: number | null; max_turns?: number | null }
export interface SessionDetail { session: SessionRow; question?: string | null; budget?: Budget | null; queued?: Queued[]; todos?: Todo[] }
export interface Listing { sessions: SessionRow[]; more: boolean }
export interface ListQuery { limit?: number; before?: string; q?: string; in?: "title" | "text"; kind?: "chat" | "executor"; parent?: string; pinned?: boolean }
export interface Command { name: string; args?: string; description: string; kind: "builtin" | "skill" | "agent" }
export interface FileHit { path: string; kind: "file" | "folder" }
export type CommandAnswer = { kind: "text"; text: string } | { kind: "run"; run: string } | { kind: "queued"; queued: string } | { kind: "session"; session: string } | { kind: "open"; what: string };
export interface BulkAnswer { done: string[]; failed: { id: string; detail: string }[] }

/** The session that a row's executor works for. */
export function parentOf(row: SessionRow): string | null {
    const parent = row.parent;
    return typeof parent === "string" ? parent || null : parent?.session ?? null;
}
