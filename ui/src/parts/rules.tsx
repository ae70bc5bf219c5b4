import { useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { loadRules, removeRule } from "../runtime.ts";
import { app, attempt } from "../state.ts";
import type { NewRule, Rule, Verdict } from "../types_runtime.ts";
import { plural } from "../words.ts";
import { ToolField } from "./tool_field.tsx";
import { VerdictMark } from "./verdict.tsx";

type About = "any" | "command" | "path" | "host";
const abouts: [about: About, text: string, placeholder: string][] = [["any", "any call", ""], ["command", "a command", "git push*"], ["path", "a path", "/src/**"], ["host", "a host", "https://*.example.org"]];
const ends: [text: string, seconds: number][] = [["until it is removed", 0], ["for 1 hour", 3600], ["for 8 hours", 28800], ["for 7 days", 604800], ["for 30 days", 2592000]];
const order: Record<string, number> = { deny: 0, ask: 1, allow: 2 };

const subject = (r: { host?: string; path?: string; command?: string }) => r.host ?? r.path ?? r.command ?? "";

/** What is in force, the strongest first, and what has run out; each can be taken back. */
export function RuleList({ rules }: { rules: Rule[] }) {
    const here = rules.filter((r) => r.scope === "session" || r.scope === "once"), rest = rules.filter((r) => !here.includes(r));
    if (rules.length === 0) return <p class="muted small">There is none: the mode alone decides.</p>;
    return <>{([["In this session", here], ["In this workspace", rest]] as [string, Rule[]][]).map(([title, list]) => list.length === 0 ? null
        : <section key={title} aria-label={title}><h3>{title}</h3><ul class="rules">
            {[...list].sort((a, b) => (order[a.verdict ?? "allow"] ?? 3) - (order[b.verdict ?? "allow"] ?? 3)).map((r) => <RuleRow key={(r.session ?? "") + r.id} rule={r} />)}</ul></section>)}</>;
}

function RuleRow({ rule }: { rule: Rule }) {
    const what = subject(rule) || (rule.limits ? `limits ${JSON.stringify(rule.limits)}` : "");
    const gone = rule.state !== "active";
    const facts = [rule.expires_at ? `until ${new Date(rule.expires_at).toLocaleString()}` : "", typeof rule.calls_left === "number" ? `${plural(rule.calls_left, "call")} left` : "",
        rule.state === "expired" ? "expired" : rule.state === "used_up" ? "used up" : "", rule.from ?? ""].filter(Boolean);
    return <li class={gone ? "gone" : ""}>
        <VerdictMark verdict={rule.verdict ?? "allow"} />
        <span class="rule-what"><code>{rule.tool}</code> {what ? <code class="path">{what}</code> : <span class="muted">any call</span>}</span>
        <span class="muted small rule-facts">{facts.join(" · ")}</span>
        <button type="button" class="quiet" aria-label={`Remove the rule ${rule.verdict ?? "allow"} ${rule.tool} ${what}`} onClick={() => void removeRule(rule)}>Remove</button>
    </li>;
}

/** A rule of the user's own, said as a sentence before it counts. */
export function RuleForm() {
    const [verdict, setVerdict] = useState<Verdict>("deny");
    const [tool, setTool] = useState("");
    const [about, setAbout] = useState<About>("any");
    const [pattern, setPattern] = useState("");
    const [scope, setScope] = useState(app.current ? "session" : "workspace");
    const [end, setEnd] = useState(0);
    const [calls, setCalls] = useState("");
    const counted = calls.trim() !== "", max = Number(calls);
    const session = scope === "session" && app.current ? app.current : undefined;
    const problem = !tool.trim() ? "Name a tool, or * for all." : about !== "any" && !pattern.trim() ? `Give the ${about}, with * for what may differ.` : counted && !(Number.isInteger(max) && max > 0) ? "The number of calls is a whole number from 1." : "";
    const add = () => attempt(async () => {
        const rule: NewRule = { verdict, tool: tool.trim(), ...(about === "any" ? {} : { [about]: pattern.trim() }), scope: session ? "session" : "workspace", ...(session ? { session } : {}),
            ...(end ? { expires_in_s: end } : {}), ...(counted ? { max_calls: max } : {}) };
        await runtimeApi.addRule(rule);
        setPattern("");
        setCalls("");
        await loadRules();
    });
    const says = `${{ allow: "Allow", ask: "Ask before", deny: "Deny" }[verdict]} ${tool.trim() || "…"}${about === "any" ? ", any call" : `, ${about} ${pattern.trim() || "…"}`}, ${session ? "in this session" : "in this workspace"}, `
        + `${ends.find((e) => e[1] === end)![0]}${counted ? `, at most ${calls.trim()} times` : ""}.`;
    return <form class="rule-form" onSubmit={(e) => { e.preventDefault(); if (!problem) void add(); }}>
        <label><span>Verdict</span><select value={verdict} onChange={(e) => setVerdict(e.currentTarget.value as Verdict)}><option value="allow">Allow</option><option value="ask">Ask</option><option value="deny">Deny</option></select></label>
        <ToolField value={tool} set={setTool} patterns />
        <label><span>About</span><select value={about} onChange={(e) => setAbout(e.currentTarget.value as About)}>{abouts.map(([v, text]) => <option key={v} value={v}>{text}</option>)}</select></label>
        {about === "any" ? null : <label class="wide"><span>Which {about}</span><input value={pattern} spellcheck={false} placeholder={abouts.find((a) => a[0] === about)![2]} onInput={(e) => setPattern(e.currentTarget.value)} /></label>}
        <label><span>Where</span><select value={session ? "session" : "workspace"} onChange={(e) => setScope(e.currentTarget.value)}>{app.current ? <option value="session">this session</option> : null}<option value="workspace">this workspace</option></select></label>
        <label><span>How long</span><select value={String(end)} onChange={(e) => setEnd(Number(e.currentTarget.value))}>{ends.map(([text, s]) => <option key={s} value={String(s)}>{text}</option>)}</select></label>
        <label><span>How often</span><input value={calls} inputMode="numeric" placeholder="any number" onInput={(e) => setCalls(e.currentTarget.value)} /></label>
        <p class="muted small wide" role="status">{problem && (tool || pattern || calls) ? problem : tool ? says : ""}</p>
        <div class="choices wide"><button type="submit" class="primary" disabled={problem !== ""}>Add the rule</button></div>
    </form>;
}
