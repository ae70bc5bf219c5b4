import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { draftsOf, dropDraft, keptDraft } from "../draft.ts";
import { Icon } from "../icon.tsx";
import { loadAgents, loadPage, runtime } from "../runtime.ts";
import { app, attempt, useApp } from "../state.ts";
import type { Agent } from "../types_runtime.ts";
import { plural } from "../words.ts";
import { Branches } from "./branches.tsx";
import { Document } from "./document.tsx";
import { Inline } from "./markdown.tsx";
import { NewText } from "./new_text.tsx";
import { Place, PlaceRow } from "./place.tsx";
import { sourceWords } from "./skill_state.ts";
import { modes } from "./status.tsx";
import { Sure } from "./sure.tsx";
import { TextEditor } from "./text_editor.tsx";

const groups: [source: string, title: string][] = [["workspace", "This workspace"], ["root", "Came with the folder"], ["user", "Yours"], ["built in", "Built in"]];
const draft = (name: string) => `---\nname: ${name}\ndescription: What it is for, in one sentence\ntools: [read, glob, grep]\nmax_turns: 20\n---\nYou …\n`;

/** One whose file is not there any more, but what was written for it is. */
const lost = (name: string): Agent => ({ name, description: "", source: "", gone: true, text: keptDraft<string>(`agent:${name}`)?.from ?? "",
    problem: "Its file was removed or renamed. What you wrote is kept here: saving it makes the agent again, in this workspace." });

/** The definitions that executors are made from. */
export function AgentsPage() {
    const { item } = useApp(() => [app.item, runtime.agents, draftsOf("agent").join()]);
    useEffect(() => loadPage("agents"), [item]);
    const there = runtime.agents, agents = there ? [...there, ...draftsOf("agent").filter((name) => !there.some((a) => a.name === name)).map(lost)] : [];
    const [wanted, source] = (item ?? "").split("~");
    const chosen = agents.find((a) => a.name === wanted && (source ? a.source === source : !a.shadowed)) ?? agents.find((a) => a.name === wanted);
    const others = agents.filter((a) => !groups.some(([source]) => source === a.source));
    const list = <>
        {[...groups.map(([source, title]) => [title, agents.filter((a) => a.source === source)] as const), ["Elsewhere", others] as const].map(([title, rows]) => rows.length === 0 ? null
            : <section key={title} aria-label={title}><h2>{title}</h2><ul>{rows.map((a) => <PlaceRow key={a.source + a.name} href={`#/agents/${encodeURIComponent(a.shadowed ? `${a.name}~${a.source}` : a.name)}`} current={a === chosen} name={a.name}
                icon={<Icon name={a.problem ? "triangle" : "bot"} size={14} label={a.problem ? "broken" : undefined} />} tone={a.problem ? "stop" : ""} says={a.gone ? "removed, your text is kept" : a.problem ? "broken" : a.shadowed ? "hidden by a nearer one" : a.description} />)}</ul></section>)}
        <a class="tool-row" href="#/agents/" aria-current={item === "" ? "true" : undefined}><Icon name="plus" size={14} /><span>New agent…</span></a>
        <section aria-label="Work"><h2>Their work</h2><ul><PlaceRow href="#/agents/+branches" icon={<Icon name="branch" size={14} />} name="Branches" says="what executors changed, to merge, keep or discard" current={item === "+branches"} /></ul></section>
        <p class="muted small new-tool">An agent is what an executor starts from: instructions, tools, model, limits. It never has more than the session that starts it.</p>
    </>;
    return <Place page="agents" title="Agents" list={list} opened={item !== null}>
        {item === "" ? <NewText what="agent" draft={draft} taken={agents.filter((a) => a.source === "workspace").map((a) => a.name)}
            create={async (name, text) => { await runtimeApi.saveAgent(name, text); await loadAgents(); location.hash = `#/agents/${encodeURIComponent(name)}`; }} />
            : item === "+branches" ? <Branches />
            : chosen ? <AgentView key={chosen.name + (chosen.shadowed ? chosen.source : "")} agent={chosen} />
            : item && runtime.agents ? <div class="tool-empty"><h2>There is no agent {item} now</h2><p class="muted">Its file was removed or renamed.</p></div>
            : <div class="tool-empty"><h2>{plural(agents.filter((a) => !a.problem).length, "agent")}</h2><p class="muted">Choose one to read its instructions and what it may do.</p></div>}
    </Place>;
}

function AgentView({ agent }: { agent: Agent }) {
    const [detail, setDetail] = useState<Agent>(agent);
    const keep = `agent:${agent.name}`;
    const [editing, setEditing] = useState(() => keptDraft(keep) !== null);
    useEffect(() => { if (!agent.shadowed && !agent.gone) void attempt(async () => setDetail(await runtimeApi.agent(agent.name))); }, [agent]);
    const save = (text: string) => attempt(async () => { const saved = await runtimeApi.saveAgent(agent.name, text); setDetail({ ...detail, ...saved, text: saved.text ?? text }); await loadAgents(); return true as const; });
    const remove = () => attempt(async () => { await runtimeApi.removeAgent(agent.name); dropDraft(keep); location.hash = "#/agents"; await loadAgents(); });
    const text = (agent.gone ? agent : detail).text;
    return <article class="tool-view" aria-label={agent.name}>
        <h2>{agent.name} {agent.problem ? <span class="server-state stop">{agent.gone ? "removed" : "broken"}</span> : null}</h2>
        {agent.description ? <p>{agent.description}</p> : null}
        {agent.problem ? <p class="notice stop" role="alert"><Icon name="triangle" size={14} label="Problem" /> <span><Inline text={agent.problem} /></span></p> : null}
        {agent.warning ? <p class="notice warn"><Icon name="triangle" size={14} label="Warning" /> <span><Inline text={agent.warning} /></span></p> : null}
        {agent.shadowed ? <p class="muted small">A nearer one of this name is used.</p> : null}
        {agent.gone ? null : <dl class="facts">
            <dt>From</dt><dd>{agent.path && agent.path !== agent.source ? <span class="path">{agent.path}</span> : null} <span class="muted">{sourceWords[agent.source] ?? agent.source}</span></dd>
            <dt>Tools</dt><dd>{agent.tools ? agent.tools.length ? agent.tools.map((t) => <code key={t} class="pattern">{t}</code>) : "none" : "those of the session"}</dd>
            <dt>Model</dt><dd>{agent.model || "the session's"}</dd>
            <dt>Mode</dt><dd>{agent.mode ? modes.find((m) => m[0] === agent.mode)?.[1] ?? agent.mode : "the session's"}</dd>
            {agent.max_turns ? <><dt>Turns</dt><dd>up to {agent.max_turns}</dd></> : null}
            <dt>Works in</dt><dd>{agent.isolation === "worktree" ? "a worktree of its own, on a branch of its own" : "the session's folder"}</dd>
        </dl>}
        {agent.shadowed ? null : editing && text !== undefined ? <section aria-label="Editor"><h3>{agent.name}.md</h3><TextEditor label={`Text of ${agent.name}`} keep={keep} text={text} rows={20} save={save} leave={() => setEditing(false)} /></section>
            : <section aria-label="Its instructions"><h3>Its instructions</h3><Document text={text ?? ""} />
                <div class="choices"><button type="button" disabled={text === undefined} onClick={() => setEditing(true)}>{agent.source === "workspace" ? "Edit" : "Edit a copy in this workspace"}</button>
                    {agent.source !== "workspace" && agent.source !== "user" ? null : <Sure label="Delete" question={`Delete ${agent.name}?`} yes="Delete it" act={() => void remove()} />}</div></section>}
    </article>;
}
