import { Icon } from "../icon.tsx";
import type { Call } from "../fold.ts";
import { bytes, count, millis } from "../words.ts";

// limit name → the receipt's "used" member and how to say it
const known: [name: string, used: string, say: (n: number) => string][] = [
    ["time", "wall_us", millis], ["cpu", "cpu_us", millis], ["fuel", "fuel", count], ["memory", "peak_memory", bytes], ["stack", "", bytes], ["output", "stdout_bytes", bytes],
];

export function limitSetting(call: Call): string {
    return known.some(([name]) => name === call.limit)
        ? `The ${call.limit} limit of \`${call.tool}\` is set in settings.json: \`"limits": {"${call.tool}": {"${call.limit}": …}}\`.` : "";
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
