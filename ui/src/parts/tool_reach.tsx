import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { app, attempt, useApp } from "../state.ts";
import type { Grant, Json, ToolDetail } from "../types.ts";
import { plural } from "../words.ts";
import { GrantForm } from "./grant_form.tsx";
import { originText } from "./tool_limits.tsx";

const words: Record<string, string> = { allowed_outbound_hosts: "Hosts", block_networks: "Blocked networks", work_dir: "Its root", map_dirs: "Further folders", guarded_paths: "Guarded files" };
const none: Record<string, string> = { allowed_outbound_hosts: "none: no network", block_networks: "none", work_dir: "the session's root", map_dirs: "none", guarded_paths: "the usual ones" };

function say(name: string, value: Json): string {
    const list = Array.isArray(value) ? value : value === null || value === "" ? [] : [value];
    return list.length ? list.map(String).join(", ") : none[name] ?? "none";
}

/** What a call can touch: folders and hosts, from settings and from grants; grants are given and taken back here. */
export function ToolReach({ tool }: { tool: ToolDetail }) {
    const { current } = useApp(() => [app.current]);
    const [grants, setGrants] = useState<Grant[]>([]);
    const [open, setOpen] = useState(false);
    const load = () => attempt(async () => setGrants((await api.grants(current ?? undefined)).grants.filter((g) => g.tool === tool.name || g.tool.includes("*"))));
    useEffect(() => { void load(); }, [tool.name, current]);
    return <section aria-label="Reach"><h3>What it can reach</h3>
        {tool.problem ? <p class="field-problem">{tool.problem}</p> : null}
        <dl class="facts reach-list">
            {tool.mounts ? <><dt>Folders</dt><dd>{tool.mounts.length === 0 ? "none" : tool.mounts.map((m) => <div key={m.guest}><code class="path">{m.guest}</code> <span class="muted">{m.writable ? "read and write" : "read only"} · {m.host}</span></div>)}</dd></> : null}
            {Object.entries(tool.reach ?? {}).map(([name, r]) => <><dt title={r.what}>{words[name] ?? name}</dt><dd><span class="path">{say(name, r.value)}</span> <span class="muted">{r.from === "default" ? "" : originText(r, tool.name)}</span></dd></>)}
        </dl>
        {grants.length ? <ul class="grants" aria-label="Grants">{grants.map((g) => <GrantRow key={g.id} grant={g} gone={() => void load()} />)}</ul> : null}
        {open ? <GrantForm tool={tool.name} done={() => { setOpen(false); void load(); }} /> : <button type="button" class="small-button" onClick={() => setOpen(true)}>Allow a host…</button>}
    </section>;
}

function GrantRow({ grant, gone }: { grant: Grant; gone(): void }) {
    const what = grant.host ?? grant.path ?? grant.command ?? (grant.limits ? JSON.stringify(grant.limits) : "any call");
    const end = grant.expires_at ? `until ${new Date(grant.expires_at).toLocaleString()}` : "";
    const left = typeof grant.calls_left === "number" ? `${plural(grant.calls_left, "call")} left` : "";
    const facts = [grant.verdict && grant.verdict !== "allow" ? grant.verdict : "", grant.scope === "session" ? "this session" : grant.scope === "workspace" ? "this workspace" : grant.scope, end, left,
        grant.state === "active" ? "" : grant.state === "expired" ? "expired" : "used up"].filter(Boolean);
    return <li class={grant.state === "active" ? "" : "muted"}><code class="path">{what}</code><span class="muted small">{facts.join(" · ")}</span>
        <button type="button" class="quiet" aria-label={`Take back ${what}`} onClick={() => { void attempt(async () => { await api.revoke(grant.id, grant.session); gone(); }); }}>Take back</button></li>;
}
