// What the server says of context, rules, executors, skills and agents (docs/api.md).
import type { Grant, Json, SessionRow } from "./types.ts";

export type PartName = "instructions" | "tools" | "skills" | "project" | "memory" | "packs" | "facts" | "summary" | "history" | "results";
export interface ContextItem { name: string; tokens: number; seq?: number }
export interface ContextPart { part: PartName; tokens: number; items: ContextItem[] }
export interface Fact { id: string; text: string; from: "user" | "model" }
/** GET sessions/ID/context: what the next request would hold. `measured`: the last request as the provider counted it. */
export interface Context {
    model?: string; window: number | null; window_from?: string | null; measured: number | null; estimated: number; compact_at: number | null; parts: ContextPart[]; facts: Fact[]; packs: string[];
    cache: { cached_tokens: number | null; broken_by: { part: string; what: string } | null }; truncated: boolean;
}
export interface Memory { text: string; digest: string; path?: string; max_bytes?: number }
export interface PackRow { name: string; description: string; tokens: number; items: number; problem?: string | null; gone?: true }
export type PackItem = { kind: "text"; text: string } | { kind: "file"; path: string } | { kind: "message"; session: string; seq: number } | { kind: "skill"; name: string };
export interface Pack { name?: string; description: string; items: PackItem[]; tokens?: number; problem?: string | null }

export type Verdict = "allow" | "ask" | "deny";
export type Rule = Grant & { from?: string };
export interface NewRule {
    tool: string; verdict: Verdict; host?: string; path?: string; command?: string; scope: string; session?: string; expires_in_s?: number; max_calls?: number;
}
/** POST permit/test: what the evaluator would say. */
export interface Trial { decision: Verdict; by: string; reason: string; rule?: Json; parts?: { command: string; decision: Verdict; reason?: string }[]; denied_commands?: string[] }

export interface Budget { tokens?: number | null; money?: number | null; calls?: number | null; time?: number | string | null; max_turns?: number | null; fuel?: number | null } // money: US$, time: seconds or a text like "10m"
/** GET sessions/ID, as much of it as the inspector needs. */
export interface SessionDetail {
    session: SessionRow & { kind?: string; parent?: { session: string; run?: string; call?: string } | string | null; budget?: Budget | null };
    budget?: Budget | null;
}

export type ExecutorState = "queued" | "running" | "done" | "failed" | "stopped" | "limit";
export type WorktreeState = "active" | "finished" | "merged" | "kept" | "discarded" | "conflict" | "dead";
export interface Executor {
    session: string; name?: string; agent: string; description: string; state: ExecutorState; parent: string; depth: number; turns: number; max_turns?: number | null;
    input_tokens: number; output_tokens: number; cost: number | null; reason: string | null; text?: string | null; started_at?: string | number | null; ms: number | null; waiting: boolean;
    worktree?: { id: string; branch: string; state: WorktreeState } | null;
}
export interface Worktree {
    id: string; executor: string | null; branch: string; base: string; into?: string; path: string; state: WorktreeState; created_at?: string; files: number; insertions: number; deletions: number; uncommitted?: number; problem?: string | null;
}
export interface Settled { state: WorktreeState; conflicts: string[]; problem?: string | null }

export interface SkillParameter { name: string; type?: string; required?: boolean; default?: Json; enum?: Json[] | null; description?: string }
export interface Skill {
    name: string; description: string; source: string; path: string; state: "ok" | "broken" | "shadowed" | "untrusted"; problem?: string | null; warning?: string | null;
    triggers?: Json[] | null; parameters?: SkillParameter[] | null; tools?: string[] | null; uses?: string[] | null; tokens?: number; digest?: string;
    text?: string; files?: (string | { path: string; bytes?: number })[] | null;
    gone?: true; // only what was written for it is left, in this browser
}
export interface SkillCheck { problem: string | null; warnings: string[] }
export interface Agent {
    name: string; description: string; tools?: string[] | null; model?: string | null; max_turns?: number | null; mode?: string | null; isolation?: string | null;
    source: string; path?: string | null; problem?: string | null; warning?: string | null; shadowed?: boolean | string | null; text?: string; gone?: true;
}

export interface UsageRun { run: string; t: string; reason: string | null; turns: number; input_tokens: number; output_tokens: number; cost: number | null; ms: number }
export interface SessionUsage {
    input_tokens: number; output_tokens: number; cached_tokens: number; cost: number | null; turns: number; calls: number; ms: number;
    by_model: { model: string; input_tokens?: number; output_tokens?: number; cached_tokens?: number; cost?: number | null; turns?: number }[];
    by_tool: { tool: string; calls: number; errors: number; ms: number }[];
    runs: UsageRun[];
    executors?: { sessions: number; input_tokens: number; output_tokens: number; cost: number | null }; // beside it, all levels
}
export interface Retention { archive_after_days: number | null; delete_after_days: number | null; would_archive: SessionRow[]; would_delete: SessionRow[] }

/** Events of docs/events.md that the inspector follows. */
export interface ExecutorEvent {
    type: "executor" | "executor_state"; seq?: number; call?: string; executor: string; agent?: string; description?: string; state: ExecutorState; reason?: string | null; turns?: number;
    input_tokens?: number; output_tokens?: number; cost?: number | null; ms?: number; waiting?: boolean; parent?: string;
}
export interface CompactEvent {
    type: "compact"; by: "threshold" | "error" | "user"; upto: number; summary: string; why?: string; kept?: string[]; before_tokens: number; after_tokens: number;
    lost?: { turns?: number; results?: number; tokens?: number; files?: string[] };
}
