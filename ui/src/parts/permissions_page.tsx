import { useEffect } from "preact/hooks";
import { loadPage, runtime } from "../runtime.ts";
import { app, currentView, setMode, useApp } from "../state.ts";
import { Place } from "./place.tsx";
import { RuleForm, RuleList } from "./rules.tsx";
import { RuleTest } from "./rule_test.tsx";
import { modes } from "./status.tsx";
import { VerdictMark } from "./verdict.tsx";

const table: [mode: string, read: string, write: string, execute: string, dangerous: string][] = [
    ["plan", "allow", "deny", "deny", "deny"], ["default", "allow", "ask", "ask", "ask"], ["accept-edits", "allow", "allow", "ask", "ask"], ["auto", "allow", "allow", "allow", "ask"], ["bypass", "allow", "allow", "allow", "ask"],
];

/** Who decides about a call, and how: the mode, the rules, and a place to ask what would happen. */
export function PermissionsPage() {
    const view = currentView();
    const { current } = useApp(() => [app.current, runtime.rules, app.sessions, app.newMode, view?.mode, view?.running]);
    useEffect(() => loadPage("permissions"), [current]);
    const row = app.sessions.find((s) => s.id === current);
    const mode = view ? view.mode || row?.mode || "default" : app.newMode;
    return <Place page="permissions" title="Permissions">
        <article class="tool-view permissions">
            <p class="muted">Every call of every tool passes one check. The mode decides by what a tool does; rules for single tools, commands, paths and hosts come on top. Deny wins over ask, ask over allow.</p>
            <section aria-label="Mode"><h2>{view ? <>Mode of “{view.title || row?.title || "Untitled"}”</> : "Mode of the next session"}</h2><ModePick mode={mode} running={view?.running ?? false} /></section>
            <section aria-label="Rules"><h2>Rules</h2>{runtime.rules ? <RuleList rules={runtime.rules} /> : <p class="muted small">Reading…</p>}</section>
            <section aria-label="Add a rule"><h2>Add a rule</h2><RuleForm key={current ?? ""} /></section>
            <section aria-label="What would happen"><h2>What would happen</h2><RuleTest mode={mode} /></section>
            <section aria-label="The modes"><h2>The modes</h2><ModeTable mode={mode} /></section>
        </article>
    </Place>;
}

function ModePick({ mode, running }: { mode: string; running: boolean }) {
    return <fieldset class="mode-pick" disabled={running}><legend class="sr-only">Mode</legend>
        {mode === "bypass" ? <label><input type="radio" name="mode" checked /> <span><strong>Bypass</strong> <span class="muted small">given at the start of the server</span></span></label> : null}
        {modes.map(([id, name, says]) => <label key={id}><input type="radio" name="mode" value={id} checked={mode === id} onChange={() => void setMode(id)} /> <span><strong>{name}</strong> <span class="muted small">{says}</span></span></label>)}
        {running ? <p class="muted small">It can be changed when the run is over.</p> : null}
    </fieldset>;
}

function ModeTable({ mode }: { mode: string }) {
    return <div class="wide-table" tabindex={0} role="region" aria-label="Table of the modes"><table class="limit-table mode-table"><thead><tr><th scope="col">Mode</th><th scope="col">Reads</th><th scope="col">Changes files</th><th scope="col">Runs programs</th><th scope="col">Leaves the sandbox</th></tr></thead>
        <tbody>{table.map(([id, ...cells]) => <tr key={id} class={id === mode ? "current" : ""}><th scope="row">{modes.find((m) => m[0] === id)?.[1] ?? "Bypass"}</th>{cells.map((c, i) => <td key={i}><VerdictMark verdict={c} /></td>)}</tr>)}</tbody></table>
        <p class="muted small">Files: inside the root. Bypass is a flag at the start of the server. Where nobody can answer, ask means deny.</p></div>;
}
