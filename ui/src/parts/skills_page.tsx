import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { draftsOf, keptDraft } from "../draft.ts";
import { Icon } from "../icon.tsx";
import { loadPage, loadSkills, runtime } from "../runtime.ts";
import { app, useApp } from "../state.ts";
import type { Skill } from "../types_runtime.ts";
import { count, plural } from "../words.ts";
import { NewText } from "./new_text.tsx";
import { Place, PlaceRow } from "./place.tsx";
import { SkillView } from "./skill_view.tsx";
import { skillStates } from "./skill_state.ts";

const groups: [source: string, title: string][] = [["workspace", "This workspace"], ["root", "Came with the folder"], ["user", "Yours"], ["bundled", "Bundled"]];

const draft = (name: string) => `---\nname: ${name}\ndescription: What it is for, in one sentence\n---\n# ${name}\n\nWhat to do, step by step.\n`;

/** One whose file is not there any more, but what was written for it is. */
const lost = (name: string): Skill => ({ name, description: "", source: "", path: "", state: "broken", gone: true, text: keptDraft<string>(`skill:${name}`)?.from ?? "",
    problem: "Its folder was removed or renamed. What you wrote is kept here: saving it makes the skill again, in this workspace." });

/** All skills by where they come from, and one of them in full. */
export function SkillsPage() {
    const { item } = useApp(() => [app.item, runtime.skills, draftsOf("skill").join()]);
    const [query, setQuery] = useState("");
    useEffect(() => loadPage("skills"), [item]);
    const there = runtime.skills, skills = there ? [...there, ...draftsOf("skill").filter((name) => !there.some((s) => s.name === name)).map(lost)] : [];
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const found = skills.filter((s) => words.every((w) => `${s.name} ${s.description}`.toLowerCase().includes(w)));
    const [wanted, source] = (item ?? "").split("~"); // a hidden one is told from the nearer one by where it is
    const chosen = skills.find((s) => s.name === wanted && (source ? s.source === source : s.state !== "shadowed")) ?? skills.find((s) => s.name === wanted);
    const others = found.filter((s) => !groups.some(([source]) => source === s.source));
    const list = <>
        <label class="search"><Icon name="search" size={14} /><input type="search" placeholder="Find a skill" aria-label="Find a skill" value={query} onInput={(e) => setQuery(e.currentTarget.value)} /></label>
        {[...groups.map(([source, title]) => [title, found.filter((s) => s.source === source)] as const), ["Elsewhere", others] as const].map(([title, rows]) => rows.length === 0 ? null
            : <section key={title} aria-label={title}><h2>{title}</h2><ul>{rows.map((s) => <Row key={s.path + s.name} skill={s} current={s === chosen} />)}</ul></section>)}
        {runtime.skills && found.length === 0 ? <p class="empty">{query ? "No skill has these words." : "There is no skill yet."}</p> : null}
        <a class="tool-row" href="#/skills/" aria-current={item === "" ? "true" : undefined}><Icon name="plus" size={14} /><span>New skill…</span></a>
        <p class="muted small new-tool">A skill is a folder with a <code>SKILL.md</code>. The model sees its name and description, and reads the rest when it needs it; you start one with <code>/name</code>.</p>
    </>;
    return <Place page="skills" title="Skills" list={list} opened={item !== null}>
        {item === "" ? <NewText what="skill" draft={draft} create={async (name, text) => { await runtimeApi.saveSkill(name, text); await loadSkills(); location.hash = `#/skills/${encodeURIComponent(name)}`; }} taken={skills.filter((s) => s.source === "workspace").map((s) => s.name)} />
            : chosen ? <SkillView key={chosen.name + (chosen.state === "shadowed" ? chosen.path : "")} skill={chosen} />
            : item && runtime.skills ? <div class="tool-empty"><h2>There is no skill {item} now</h2><p class="muted">Its folder was removed or renamed.</p></div>
            : <div class="tool-empty"><h2>{plural(skills.filter((s) => s.state === "ok").length, "skill")} ready</h2><p class="muted">Choose one to read it, to see which tools it leaves the model, and to try how its parameters fill in.</p></div>}
    </Place>;
}

function Row({ skill, current }: { skill: Skill; current: boolean }) {
    const [text, tone] = skillStates[skill.state];
    const bad = skill.state !== "ok";
    return <PlaceRow href={`#/skills/${encodeURIComponent(skill.state === "shadowed" ? `${skill.name}~${skill.source}` : skill.name)}`} current={current} name={skill.name} tone={bad ? tone : ""}
        icon={<Icon name={skill.state === "broken" ? "triangle" : skill.state === "untrusted" ? "hand" : "book"} size={14} label={text} />}
        says={skill.gone ? "removed, your text is kept" : bad ? text : skill.description || `${count(skill.tokens ?? 0)} tokens`} />;
}
