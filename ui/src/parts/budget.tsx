import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { sessionsApi } from "../api_sessions.ts";
import { setBudget } from "../sessions.ts";
import { attempt, toast } from "../state.ts";
import type { Budget } from "../types_sessions.ts";
import { Menu } from "./menu.tsx";

type Name = keyof Budget;
const fields: [name: Name, label: string, unit: string, says: string][] = [
    ["tokens", "Tokens", "", "e.g. 200000"], ["money", "Money", "US$", "e.g. 0.50"], ["calls", "Tool calls", "", "e.g. 100"], ["time", "Time", "minutes", "e.g. 30"], ["max_turns", "Turns of a run", "", "e.g. 50"],
];
const minute = 60; // seconds, as the server counts

/** A number of the field's, null for none, undefined for what is no number. */
export function budgetValue(name: Name, text: string): number | null | undefined {
    const n = Number(text.trim().replace(",", "."));
    if (!text.trim()) return null;
    if (!Number.isFinite(n) || n <= 0) return undefined;
    if (name === "time") return Math.round(n * minute);
    return name === "money" ? n : Number.isInteger(n) ? n : undefined;
}

/** What a session may spend; empty is no bound. */
export function BudgetMenu({ id }: { id: string }) {
    return <Menu label="Budget" icon="coins" entries={() => []}>{(close) => <BudgetForm id={id} close={close} />}</Menu>;
}

export function BudgetForm({ id, close }: { id: string; close(): void }) {
    const [text, setText] = useState<Record<string, string> | null>(null);
    const shown = (budget: Budget) => Object.fromEntries(fields.map(([name]) => {
        const value = budget[name];
        return [name, value === undefined || value === null || value < 0 ? "" : String(name === "time" ? value / minute : value)];
    }));
    useEffect(() => { void attempt(async () => { setText(shown((await sessionsApi.get(id)).budget ?? {})); }); }, [id]);
    const first = useRef<HTMLInputElement>(null);
    useLayoutEffect(() => { if (text) first.current?.focus(); }, [text !== null]);
    const values = Object.fromEntries(fields.map(([name]) => [name, budgetValue(name, text?.[name] ?? "")]));
    const wrong = fields.find(([name]) => values[name] === undefined);
    const save = async () => {
        if (wrong || !text) return;
        if (!await setBudget(id, values as Budget)) return;
        close();
        toast({ text: Object.values(values).some((v) => v !== null) ? "The budget counts from the next request on." : "This session has no budget now." });
    };
    return <form class="budget" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <h2>Budget of this session</h2>
        <p class="muted small">When one of them is used up the run ends and says which. Empty means no bound.</p>
        {fields.map(([name, label, unit, says], i) => <label key={name}><span>{label}{unit ? <span class="muted"> ({unit})</span> : null}</span>
            <input ref={i === 0 ? first : undefined} inputMode="decimal" value={text?.[name] ?? ""} placeholder={says} disabled={!text} aria-invalid={values[name] === undefined}
                onInput={(e) => setText({ ...text, [name]: e.currentTarget.value })} /></label>)}
        {wrong ? <p class="field-problem" role="alert">{wrong[1]} must be a number above 0{wrong[0] === "money" || wrong[0] === "time" ? "" : ", without a fraction"}.</p> : null}
        <div class="row"><button type="submit" class="primary" disabled={!text || Boolean(wrong)}>Keep</button><button type="button" class="quiet" onClick={close}>Cancel</button></div>
    </form>;
}
