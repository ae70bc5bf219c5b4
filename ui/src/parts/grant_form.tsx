import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { app, attempt } from "../state.ts";

const ends: [text: string, seconds: number][] = [["no end", 0], ["1 hour", 3600], ["8 hours", 28800], ["7 days", 604800]];

/** Grants a host to a tool: for how long, how often, where. `session`: the one that it may count in, the open one or an executor of it. `done` is called when it counts. */
export function GrantForm({ tool, host, session = app.current, done }: { tool: string; host?: string; session?: string | null; done(): void }) {
    const [name, setName] = useState(host ?? "");
    const [scope, setScope] = useState(session ? "session" : "workspace");
    const [end, setEnd] = useState(0);
    const [calls, setCalls] = useState("");
    const max = scope === "once" ? 1 : Number(calls);
    const where = session && scope !== "workspace" ? { scope: "session", session } : { scope: "workspace" };
    const counted = scope === "once" || calls !== "";
    const fine = name.trim() !== "" && (!counted || (Number.isInteger(max) && max > 0));
    const grant = () => attempt(async () => {
        await api.grant({ tool, host: name.trim(), ...where, ...(end ? { expires_in_s: end } : {}), ...(counted ? { max_calls: max } : {}) });
        done();
    });
    return <form class="grant-form" onSubmit={(e) => { e.preventDefault(); if (fine) void grant(); }}>
        {host ? null : <input value={name} aria-label="Host" placeholder="https://example.org" spellcheck={false} onInput={(e) => setName(e.currentTarget.value)} />}
        <select aria-label="Where it counts" value={scope} onChange={(e) => setScope(e.currentTarget.value)}>
            <option value="once">for one call</option>
            {session ? <option value="session">in this session</option> : null}<option value="workspace">in this workspace</option></select>
        <select aria-label="For how long" value={String(end)} onChange={(e) => setEnd(Number(e.currentTarget.value))}>{ends.map(([text, s]) => <option key={s} value={String(s)}>{text}</option>)}</select>
        {scope === "once" ? null : <input class="calls-field" value={calls} aria-label="How many calls" placeholder="any number of calls" inputMode="numeric" onInput={(e) => setCalls(e.currentTarget.value)} />}
        <button type="submit" disabled={!fine}>Allow</button>
    </form>;
}
