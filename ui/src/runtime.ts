// What the page knows of rules, skills, agents, packs and executors beside state.ts; loaded when it is first shown, and again when the server says that it changed.
import { api } from "./api.ts";
import { runtimeApi } from "./api_runtime.ts";
import { app, attempt, change, loadTools, onLive, type Page } from "./state.ts";
import type { Agent, PackRow, Rule, Skill } from "./types_runtime.ts";

export const runtime = {
    rules: null as Rule[] | null,
    skills: null as Skill[] | null,
    agents: null as Agent[] | null,
    packs: null as PackRow[] | null,
};

export async function loadRules(): Promise<void> {
    const { grants } = await runtimeApi.rules(app.current);
    change(() => { runtime.rules = grants; });
}

export async function loadSkills(): Promise<void> {
    const { skills } = await runtimeApi.skills();
    change(() => { runtime.skills = skills; });
}

export async function loadAgents(): Promise<void> {
    const { agents } = await runtimeApi.agents();
    change(() => { runtime.agents = agents; });
}

export async function loadPacks(): Promise<void> {
    const { packs } = await runtimeApi.packs();
    change(() => { runtime.packs = packs; });
}

const of: Partial<Record<Page, () => Promise<void>>> = { permissions: loadRules, skills: loadSkills, agents: loadAgents, memory: loadPacks };

/** What a page shows, read anew. */
export function loadPage(page: Page): void {
    const load = of[page];
    if (load) void attempt(load);
    if (page === "permissions" && !app.tools) void attempt(loadTools);
}

export async function removeRule(rule: Rule): Promise<void> {
    await attempt(() => api.revoke(rule.id, rule.session));
    await attempt(loadRules);
}

onLive((what) => {
    if (what === "skills" && runtime.skills) void attempt(loadSkills);
    if (what === "agents" && runtime.agents) void attempt(loadAgents);
    if (what === "up") loadPage(app.page); // the server may be another one now
});
