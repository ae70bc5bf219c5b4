import { Icon } from "../icon.tsx";
import type { Call } from "../fold.ts";
import { bytes, count, millis } from "../words.ts";

// limit name → the receipt's "used" member and how to say it
export const known: [name: string, used: string, say: (n: number) => string][] = [
    ["time", "wall_us", millis], ["cpu", "cpu_us", millis], ["fuel", "fuel", count], ["memory", "peak_memory", bytes], ["stack", "", bytes], ["output", "stdout_bytes", bytes],
];

/** Where the limit that fired is changed. The sentence with what happened is part of the result. */
export function LimitHelp({ call }: { call: Call }) {
    if (call.limit === "cancelled" || call.limit === "stopped") return null;
    return <p class="muted small">Its limits, and where each comes from: <a href={`#/tools/${call.tool}`}>Tools › {call.tool}</a></p>;
}

/** Each limit as used / allowed; the one that fired is marked. */
export function LimitsStrip({ call }: { call: Call }) {
    const limits = call.limits ?? call.receipt?.granted?.limits;
    if (!limits) return null;
    const used = (call.receipt?.used ?? {}) as Record<string, number>;
    return <ul class="limits" aria-label="Limits, used of allowed">
        {known.filter(([name, member]) => limits[name] && (name !== "fuel" || used[member])).map(([name, member, say]) => {
            const raw = used[member];
            const amount = raw === undefined ? undefined : member.endsWith("_us") ? raw / 1000 : raw;
            const share = amount === undefined ? 0 : Math.min(1, amount / limits[name]!);
            const fired = call.limit === name;
            return <li key={name} class={fired ? "fired" : ""}>
                <span class="limit-name">{fired ? <Icon name="triangle" size={12} label="reached:" /> : null} {name}</span>
                <span class="limit-value">{amount === undefined ? "up to " : `${say(amount)} / `}{say(limits[name]!)}</span>
                <span class="meter" aria-hidden="true"><span ref={(el) => el?.style.setProperty("width", `${Math.max(share * 100, share > 0 ? 1 : 0)}%`)} /></span>
            </li>;
        })}
    </ul>;
}
