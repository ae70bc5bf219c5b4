import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import type { View } from "../fold.ts";
import { attempt } from "../state.ts";
import type { Budget, SessionDetail, SessionUsage } from "../types_runtime.ts";
import { count, millis, money } from "../words.ts";
import { BudgetForm } from "./budget.tsx";

type Kind = "max_turns" | "tokens" | "money" | "calls" | "time";
const kinds: [kind: Kind, name: string, say: (n: number) => string][] = [["max_turns", "Turns", count], ["tokens", "Tokens", count], ["money", "Money", money], ["calls", "Calls of tools", count], ["time", "Time", (s) => millis(s * 1000)]];

export const budgetOf = (d: SessionDetail | null): Budget => d?.budget ?? d?.session.budget ?? {};

/** What each run of the session may use before it is ended by name. */
export function BudgetSection({ view, detail, usage, reload }: { view: View; detail: SessionDetail | null; usage: SessionUsage | null; reload(): void }) {
    const [editing, setEditing] = useState(false);
    const budget = budgetOf(detail), last = usage?.runs.at(-1);
    const used: Partial<Record<Kind, number>> = view.running ? { tokens: view.runTokens.input + view.runTokens.output }
        : last ? { max_turns: last.turns, tokens: last.input_tokens + last.output_tokens, ...(last.cost === null ? {} : { money: last.cost }), time: last.ms / 1000 } : {};
    const set = kinds.filter(([kind]) => budget[kind] !== undefined && budget[kind] !== null);
    if (editing) return <section aria-label="Budget"><BudgetForm id={view.id} close={() => { setEditing(false); reload(); }} /></section>;
    return <section aria-label="Budget"><h3>Budget of each run</h3>
        {set.length === 0 ? <p class="muted small">None of its own: the settings' limits hold.</p> : <ul class="limits">{set.map(([kind, name, say]) => {
            const cap = Number(budget[kind]), amount = used[kind], part = amount === undefined || !(cap > 0) ? 0 : Math.min(1, amount / cap);
            return <li key={kind} class={part >= 1 ? "fired" : ""}><span class="limit-name">{name}</span><span class="limit-value">{amount === undefined ? "up to " : `${say(amount)} / `}{say(cap)}</span>
                <span class="meter" aria-hidden="true"><span ref={(el) => el?.style.setProperty("width", `${part * 100}%`)} /></span></li>;
        })}</ul>}
        {set.length && last && !view.running ? <p class="muted small">Used: by the last run.</p> : null}
        <button type="button" class="small-button flat" onClick={() => setEditing(true)}>{set.length ? "Change it…" : "Set a budget…"}</button>
    </section>;
}

/** The session's own record, read anew when runs begin and end. */
export function useDetail(view: View): [SessionDetail | null, () => void] {
    const [detail, setDetail] = useState<SessionDetail | null>(null);
    const load = () => attempt(async () => setDetail(await runtimeApi.session(view.id)));
    useEffect(() => { void load(); }, [view.id, view.running, view.side.budgetRev]);
    return [detail, () => void load()];
}
