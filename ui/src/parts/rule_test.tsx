import { useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { runtime } from "../runtime.ts";
import { app, attempt } from "../state.ts";
import { needed } from "../schema.ts";
import type { Json } from "../types.ts";
import type { Trial } from "../types_runtime.ts";
import { Inline } from "./markdown.tsx";
import { modes } from "./status.tsx";
import { ToolField } from "./tool_field.tsx";
import { VerdictMark } from "./verdict.tsx";

const mains = ["command", "file_path", "path", "url", "pattern", "query"];
const names: Record<string, [label: string, placeholder: string]> = { command: ["Command", "git status && rm -r build"], file_path: ["Path", "/src/main.c"], path: ["Path", "/src"], url: ["Address", "https://example.org/"],
    pattern: ["Pattern", "**/*.c"], query: ["Query", "words"] };

/** The argument that decides about a call of this tool; null: none is known, the input is given as JSON. */
function mainOf(tool: string): string | null {
    const schema = app.tools?.tools.find((t) => t.name === tool)?.input_schema as { properties?: Record<string, Json> } | undefined;
    return mains.find((m) => schema?.properties?.[m] !== undefined) ?? ({ bash: "command", read: "file_path", write: "file_path", edit: "file_path", web_fetch: "url" } as Record<string, string>)[tool] ?? null;
}

/** What the evaluator would say of a call; nothing is called and nothing is counted. */
export function RuleTest({ mode }: { mode: string }) {
    const [tool, setTool] = useState("bash");
    const [typed, setTyped] = useState("");
    const [raw, setRaw] = useState(false);
    const [asMode, setAsMode] = useState("");
    const [problem, setProblem] = useState("");
    const [trial, setTrial] = useState<Trial | null>(null);
    const main = raw ? null : mainOf(tool.trim());
    const [label, placeholder] = main ? names[main]! : ["Input as JSON", "{}"];
    const run = () => attempt(async () => {
        setProblem("");
        let input: Json;
        try { input = main ? { ...needed(app.tools?.tools.find((t) => t.name === tool.trim())?.input_schema ?? null), [main]: typed } : (JSON.parse(typed.trim() || "{}") as Json); } catch { setProblem("This is not JSON. Texts stand in quotes, members in { }."); return; }
        setTrial(null);
        setTrial(await runtimeApi.tryCall(tool.trim(), input, asMode || (app.current ? undefined : mode), app.current ?? undefined));
    });
    return <form class="rule-form" onSubmit={(e) => { e.preventDefault(); if (tool.trim()) void run(); }}>
        <ToolField value={tool} set={(v) => { setTool(v); setTrial(null); }} />
        <label><span>Mode</span><select value={asMode} onChange={(e) => { setAsMode(e.currentTarget.value); setTrial(null); }}><option value="">as it is now</option>{modes.map(([id, name]) => <option key={id} value={id}>{name}</option>)}</select></label>
        <label class="wide"><span>{label}</span><textarea class="code-field" rows={main === "command" || !main ? 3 : 1} value={typed} spellcheck={false} placeholder={placeholder} onInput={(e) => { setTyped(e.currentTarget.value); setTrial(null); }}
            onKeyDown={(e) => { if (e.key === "Enter" && !e.shiftKey && main) { e.preventDefault(); void run(); } }} /></label>
        {problem ? <p class="field-problem wide" role="alert">{problem}</p> : null}
        <div class="choices wide"><button type="submit" disabled={!tool.trim()}>What would happen?</button>
            {mainOf(tool.trim()) ? <button type="button" class="quiet" onClick={() => { setRaw(!raw); setTyped(""); setTrial(null); }}>{raw ? "As a field" : "As JSON"}</button> : null}</div>
        <div class="trial-box wide" aria-live="polite">{trial ? <Outcome trial={trial} /> : null}</div>
    </form>;
}

/** A rule in one line, however much of it is told: often its id alone. */
function ruleText(given: Json): string {
    const rule = typeof given === "string" ? (runtime.rules?.find((r) => r.id === given) as Json | undefined) ?? given : given;
    if (rule === null || typeof rule !== "object" || Array.isArray(rule)) return String(rule);
    const { verdict, tool, host, path, command, id } = rule;
    return tool ? [verdict, tool, host ?? path ?? command].filter(Boolean).join(" ") : String(id ?? JSON.stringify(rule));
}

function Outcome({ trial }: { trial: Trial }) {
    return <div class="trial" data-decision={trial.decision}>
        <p><VerdictMark verdict={trial.decision} past /> <span class="muted small">by {trial.by}</span></p>
        <p><Inline text={trial.reason} /></p>
        {trial.rule ? <p class="muted small">Rule: <code class="path">{ruleText(trial.rule)}</code></p> : null}
        {trial.parts && trial.parts.length > 0 ? <ol class="trial-parts" aria-label="Parts of the command">{trial.parts.map((p, i) => <li key={i}><VerdictMark verdict={p.decision} /><code class="path">{p.command}</code>
            {p.reason ? <span class="muted small">{p.reason}</span> : null}</li>)}</ol> : null}
        {trial.denied_commands?.length ? <p class="muted small">Not started, however the call comes to it: {trial.denied_commands.map((c, i) => <>{i ? ", " : ""}<code class="path">{c}</code></>)}</p> : null}
    </div>;
}
