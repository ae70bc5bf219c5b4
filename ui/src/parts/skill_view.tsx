import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { dropDraft, keptDraft } from "../draft.ts";
import { Icon } from "../icon.tsx";
import { loadSkills } from "../runtime.ts";
import { attempt } from "../state.ts";
import type { Skill, SkillCheck, SkillParameter } from "../types_runtime.ts";
import { count } from "../words.ts";
import { Document } from "./document.tsx";
import { Inline } from "./markdown.tsx";
import { skillStates, sourceWords } from "./skill_state.ts";
import { Sure } from "./sure.tsx";
import { TextEditor } from "./text_editor.tsx";

/** One skill: what it says of itself, what it takes and leaves, its text, and how it fills in. The text is a stranger's until it is trusted. */
export function SkillView({ skill }: { skill: Skill }) {
    const [detail, setDetail] = useState<Skill>(skill);
    const keep = `skill:${skill.name}`;
    const [editing, setEditing] = useState(() => keptDraft(keep) !== null);
    const hidden = skill.state === "shadowed";
    useEffect(() => { if (!hidden && !skill.gone) void attempt(async () => setDetail(await runtimeApi.skill(skill.name))); }, [skill]);
    const [state, tone] = skillStates[skill.state];
    const text = (skill.gone ? skill : detail).text;
    const own = skill.source === "workspace";
    const remove = () => attempt(async () => { await runtimeApi.removeSkill(skill.name); dropDraft(keep); location.hash = "#/skills"; await loadSkills(); });
    const save = (next: string) => attempt(async () => { const saved = await runtimeApi.saveSkill(skill.name, next); setDetail({ ...detail, ...saved, text: saved.text ?? next }); await loadSkills(); return true as const; });
    return <article class="tool-view" aria-label={skill.name}>
        <h2>{skill.name} <span class={`server-state ${tone}`}>{skill.gone ? "removed" : state}</span></h2>
        {skill.description ? <p>{skill.description}</p> : null}
        {skill.problem ? <p class={`notice ${skill.state === "broken" ? "stop" : "warn"}`} role="alert"><Icon name="triangle" size={14} label="Problem" /> <span><Inline text={skill.problem} /></span></p> : null}
        {skill.warning ? <p class="notice warn"><Icon name="triangle" size={14} label="Warning" /> <span><Inline text={skill.warning} /></span></p> : null}
        {skill.gone ? null : <dl class="facts">
            <dt>From</dt><dd>{skill.path && skill.path !== skill.source ? <span class="path">{skill.path}</span> : null} <span class="muted">{sourceWords[skill.source] ?? skill.source}</span></dd>
            <dt>Tools</dt><dd>{skill.tools ? skill.tools.length ? skill.tools.map((t) => <code key={t} class="pattern">{t}</code>) : "none at all" : "as the session has them"}</dd>
            {skill.triggers?.length ? <><dt>Proposed at</dt><dd>{skill.triggers.map((t) => typeof t === "string" ? t : JSON.stringify(t)).join(", ")}</dd></> : null}
            {skill.uses?.length ? <><dt>Uses</dt><dd>{skill.uses.map((u) => <a key={u} class="pattern" href={`#/skills/${encodeURIComponent(u)}`}>{u}</a>)}</dd></> : null}
            {skill.tokens ? <><dt>Size</dt><dd>{count(skill.tokens)} tokens when it is read</dd></> : null}
            {skill.digest ? <><dt>Digest</dt><dd class="path" title={skill.digest}>{skill.digest.slice(0, 16)}</dd></> : null}
            {detail.files?.length ? <><dt>Files</dt><dd>{detail.files.map((f) => <div key={typeof f === "string" ? f : f.path} class="path">{typeof f === "string" ? f : f.path}</div>)}</dd></> : null}
        </dl>}
        {skill.parameters?.length ? <Parameters list={skill.parameters} /> : null}
        {hidden ? <p class="muted small">The nearer one of this name is used. Remove or rename that one to have this one.</p> : <>
            {skill.state === "untrusted" ? <Trust skill={skill} digest={detail.text === undefined ? null : detail.digest ?? ""} /> : null}
            {skill.state === "ok" && !editing ? <Expand skill={skill} /> : null}
            {editing && text !== undefined ? <SkillEditor name={skill.name} keep={keep} text={text} save={save} leave={() => setEditing(false)} />
                : <section aria-label="Its text"><h3>Its text</h3><Document text={text ?? ""} />
                    <div class="choices"><button type="button" disabled={text === undefined} onClick={() => setEditing(true)}>{own ? "Edit" : "Edit a copy in this workspace"}</button>
                        {!own ? null : <Sure label="Delete" question={`Delete ${skill.name}?`} yes="Delete it" act={() => void remove()} />}</div></section>}
        </>}
    </article>;
}

function Parameters({ list }: { list: SkillParameter[] }) {
    return <section aria-label="Parameters"><h3>Parameters</h3><div class="wide-table"><table class="limit-table plain-table"><thead><tr><th scope="col">Name</th><th scope="col">Value</th><th scope="col">What it is</th></tr></thead>
        <tbody>{list.map((p) => <tr key={p.name}><td><code>{p.name}</code></td>
            <td>{p.enum?.length ? p.enum.map(String).join(" or ") : p.type ?? "text"}{p.required ? ", needed" : p.default !== undefined && p.default !== null ? `, else ${String(p.default)}` : ""}</td><td>{p.description ?? ""}</td></tr>)}</tbody></table></div></section>;
}

/** A stranger's words are read before they count; the yes is for the text that was shown. */
function Trust({ skill, digest }: { skill: Skill; digest: string | null }) {
    return <section class="trust" aria-label="Trust"><p>Somebody else wrote it. Read its text below: a model that is given it does what it says, within your permissions. If it changes, you are asked again.</p>
        <div class="choices"><button type="button" disabled={digest === null} onClick={() => { void attempt(async () => { await runtimeApi.trustSkill(skill.name, digest!); await loadSkills(); }); }}>I have read it: trust it</button></div></section>;
}

function SkillEditor({ name, keep, text, save, leave }: { name: string; keep: string; text: string; save(text: string): Promise<true | undefined>; leave(): void }) {
    const [check, setCheck] = useState<SkillCheck | null>(null);
    return <section aria-label="Editor"><h3>SKILL.md</h3>
        <TextEditor label={`Text of ${name}`} keep={keep} text={text} rows={20} save={save} leave={leave} check={(t) => void attempt(async () => setCheck(await runtimeApi.checkSkill(t)))}>
            <div class="check" aria-live="polite">{check ? <>
                {check.problem ? <p class="field-problem"><Inline text={check.problem} /></p> : <p class="fine small"><Icon name="check" size={14} /> It can be loaded.</p>}
                {check.warnings.map((w) => <p key={w} class="warned small"><Inline text={w} /></p>)}</> : null}</div>
        </TextEditor></section>;
}

/** What the model would read with these arguments. */
function Expand({ skill }: { skill: Skill }) {
    const [args, setArgs] = useState("");
    const [out, setOut] = useState<string | null>(null);
    const [problem, setProblem] = useState("");
    const run = async () => {
        setProblem("");
        try {
            const r = await runtimeApi.expandSkill(skill.name, args);
            setOut(r.text ?? null);
            setProblem(r.problem ?? "");
        } catch (e) { setOut(null); setProblem((e as Error).message); }
    };
    return <section aria-label="How it fills in"><h3>How it fills in</h3>
        <form class="one-line" onSubmit={(e) => { e.preventDefault(); void run(); }}><label class="one-grow"><span class="prefix">/{skill.name}</span><input class="code-field" value={args} aria-label={`Arguments of ${skill.name}`} spellcheck={false}
            placeholder={skill.parameters?.length ? skill.parameters.map((p) => `${p.name}=…`).join(" ") : "arguments"} onInput={(e) => setArgs(e.currentTarget.value)} /></label><button type="submit">Show</button></form>
        <div aria-live="polite">{problem ? <p class="field-problem">{problem}</p> : out !== null ? <pre class="plain" tabindex={0}>{out}</pre> : null}</div></section>;
}
