import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { api } from "../api.ts";
import { app, attempt, change } from "../state.ts";
import type { Json, LimitInfo, ToolDetail } from "../types.ts";
import { bytes, count, millis } from "../words.ts";

const origin: Record<string, string> = { default: "default", descriptor: "the tool's own wish", settings: "settings.json", grant: "a grant", call: "this call" };
const hints: Record<string, string> = { ms: "e.g. 90s or 2m", bytes: "e.g. 512MiB", count: "a number, e.g. 10G" };

export function limitText(limit: LimitInfo, value = limit.value): string {
    return limit.unit === "ms" ? millis(value) : limit.unit === "bytes" ? bytes(value) : count(value);
}

/** Where a value comes from, with the name in settings.json whose object it is when that is not the tool's own. */
export function originText(of: { from: string; key?: string }, tool: string): string {
    return (origin[of.from] ?? of.from) + (of.key && of.key !== tool ? ` (${of.key})` : "");
}

/** Every limit of a call with its value, where that came from, and a way to change it; what is changed counts at once. */
export function ToolLimits({ tool, changed }: { tool: ToolDetail; changed(t: ToolDetail): void }) {
    const [editing, setEditing] = useState<string | null>(null);
    const limits = Object.entries(tool.limits);
    if (limits.length === 0) return null;
    const save = (name: string, value: Json | null) => attempt(async () => {
        const { [name]: _, ...rest } = tool.settings ?? {};
        const second = tool.limits[name]?.setting;
        if (second) delete rest[second];
        const next = value === null ? rest : { ...rest, [name]: value };
        const detail = await api.setLimits(tool.name, Object.keys(next).length ? next : null);
        const tools = await api.tools();
        change(() => { app.tools = tools; });
        changed(detail);
        setEditing(null);
    });
    return <section aria-label="Limits"><h3>Limits of each call</h3>
        <table class="limit-table"><thead><tr><th>Limit</th><th>Value</th><th>From</th><th><span class="sr-only">Change</span></th></tr></thead>
            <tbody>{limits.map(([name, limit]) => <tr key={name}>
                <td><code>{name}</code>{limit.what ? <span class="muted small"> {limit.what}</span> : null}</td>
                {editing === name ? <td colSpan={3}><LimitForm name={name} limit={limit} own={ownValue(tool, name, limit)} save={(v) => void save(name, v)} leave={() => setEditing(null)} /></td> : <>
                    <td>{name === "fuel" && limit.value === 0 ? "by cpu" : limitText(limit)}</td>
                    <td class={limit.from === "default" ? "muted" : ""}>{originText(limit, tool.name)}</td>
                    <td><button type="button" class="quiet" aria-label={`Change ${name}`} onClick={() => setEditing(name)}>Change</button></td></>}
            </tr>)}</tbody></table>
    </section>;
}

/** The tool's own line in settings.json, as it is written there. */
function ownValue(tool: ToolDetail, name: string, limit: LimitInfo): string | null {
    const own = tool.settings?.[name] ?? (limit.setting ? tool.settings?.[limit.setting] : undefined);
    return own === undefined || own === null ? null : String(own);
}

function LimitForm({ name, limit, own, save, leave }: { name: string; limit: LimitInfo; own: string | null; save(value: string | null): void; leave(): void }) {
    const [value, setValue] = useState(own ?? "");
    const box = useRef<HTMLInputElement>(null);
    useLayoutEffect(() => box.current?.focus(), []); // once: what is drawn again must not take the focus from elsewhere
    const range = limit.min !== undefined && limit.max !== undefined ? ` · ${limitText(limit, limit.min)} to ${limitText(limit, limit.max)}` : "";
    return <form class="limit-form" onSubmit={(e) => { e.preventDefault(); if (value.trim()) save(value.trim()); }}>
        <input ref={box} value={value} aria-label={`New value of ${name}`} placeholder={hints[limit.unit] ?? ""}
            onInput={(e) => setValue(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); leave(); } }} />
        <button type="submit" disabled={!value.trim()}>Save</button>
        {own !== null ? <button type="button" class="quiet" onClick={() => save(null)}>Take it out</button> : null}
        <button type="button" class="quiet" onClick={leave}>Back</button>
        <span class="muted small">{hints[limit.unit]}{range}</span>
    </form>;
}
