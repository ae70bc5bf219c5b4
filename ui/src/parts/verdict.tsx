import { Icon, type IconName } from "../icon.tsx";
import type { Verdict } from "../types_runtime.ts";

const looks: Record<Verdict, [icon: IconName, word: string, tone: string]> = { allow: ["check", "Allow", "ok"], ask: ["hand", "Ask", "wait"], deny: ["x", "Deny", "stop"] };

/** A decision: a sign, a word and a colour, never the colour alone. */
export function VerdictMark({ verdict, past }: { verdict: string; past?: boolean }) {
    const [icon, word, tone] = looks[verdict as Verdict] ?? ["box", verdict, ""];
    const said = !past ? word : { Allow: "Allowed", Ask: "It would ask", Deny: "Denied" }[word] ?? word;
    return <span class={`verdict-mark ${tone}`}><Icon name={icon} size={14} />{said}</span>;
}
