// The part of the API that context, rules, executors, skills and agents are seen and steered through.
import { call } from "./api.ts";
import type { Json } from "./types.ts";
import type { Agent, Context, Executor, Memory, NewRule, Pack, PackRow, Retention, Rule, SessionDetail, SessionUsage, Settled, Skill, SkillCheck, Trial, Worktree } from "./types_runtime.ts";

const part = encodeURIComponent;

export const runtimeApi = {
    context: (id: string) => call<Context>("GET", `/sessions/${id}/context`),
    compact: (id: string, focus: string) => call<{ run: string }>("POST", `/sessions/${id}/compact`, focus ? { focus } : {}),
    pinFact: (id: string, text: string) => call<{ id: string }>("POST", `/sessions/${id}/facts`, { text }),
    dropFact: (id: string, fact: string) => call<void>("DELETE", `/sessions/${id}/facts/${part(fact)}`),
    attach: (id: string, name: string) => call<void>("POST", `/sessions/${id}/packs`, { name }),
    detach: (id: string, name: string) => call<void>("DELETE", `/sessions/${id}/packs/${part(name)}`),
    memory: () => call<Memory>("GET", "/memory"),
    saveMemory: (text: string, digest: string) => call<Memory>("PUT", "/memory", { text, digest }),
    packs: () => call<{ packs: PackRow[] }>("GET", "/packs"),
    pack: (name: string) => call<Pack>("GET", `/packs/${part(name)}`),
    savePack: (name: string, pack: Pack) => call<Pack>("PUT", `/packs/${part(name)}`, { description: pack.description, items: pack.items }),
    removePack: (name: string) => call<void>("DELETE", `/packs/${part(name)}`),

    rules: (session?: string | null) => call<{ grants: Rule[] }>("GET", `/grants${session ? `?session=${session}` : ""}`),
    addRule: (rule: NewRule) => call<{ id: string }>("POST", "/grants", rule),
    tryCall: (tool: string, input: Json, mode?: string, session?: string) =>
        call<Trial>("POST", "/permit/test", { tool, input, ...(mode ? { mode } : {}), ...(session ? { session } : {}) }),

    session: (id: string) => call<SessionDetail>("GET", `/sessions/${id}`),
    usage: (id: string) => call<SessionUsage>("GET", `/sessions/${id}/usage`),
    executors: (id: string) => call<{ executors: Executor[] }>("GET", `/sessions/${id}/executors`),
    worktrees: () => call<{ worktrees: Worktree[] }>("GET", "/worktrees"),
    diff: (id: string) => call<{ diff: string; cut: boolean }>("GET", `/worktrees/${part(id)}/diff`),
    settle: (id: string, how: "merge" | "keep" | "discard") => call<Settled>("POST", `/worktrees/${part(id)}/${how}`, {}),

    skills: () => call<{ skills: Skill[] }>("GET", "/skills"),
    skill: (name: string) => call<Skill>("GET", `/skills/${part(name)}`),
    saveSkill: (name: string, text: string) => call<Skill>("PUT", `/skills/${part(name)}`, { text }),
    removeSkill: (name: string) => call<void>("DELETE", `/skills/${part(name)}`),
    checkSkill: (text: string) => call<SkillCheck>("POST", "/skills/check", { text }),
    expandSkill: (name: string, args: string) => call<{ text?: string; problem?: string }>("POST", `/skills/${part(name)}/expand`, { args }),
    trustSkill: (name: string, digest: string) => call<unknown>("POST", `/skills/${part(name)}/trust`, digest ? { digest } : {}),
    agents: () => call<{ agents: Agent[] }>("GET", "/agents"),
    agent: (name: string) => call<Agent>("GET", `/agents/${part(name)}`),
    saveAgent: (name: string, text: string) => call<Agent>("PUT", `/agents/${part(name)}`, { text }),
    removeAgent: (name: string) => call<void>("DELETE", `/agents/${part(name)}`),

    retention: () => call<Retention>("GET", "/retention"),
};
