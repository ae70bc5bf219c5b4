// Numbers and times in words.

const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }); // made once: to make one takes longer than to draw a row

export function ago(iso: string | undefined, now = Date.now()): string {
    if (!iso) return "";
    const s = Math.max(0, (now - Date.parse(iso)) / 1000);
    if (s < 60) return "now";
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h`;
    if (s < 7 * 86400) return `${Math.floor(s / 86400)} d`;
    return dayOfYear.format(Date.parse(iso));
}

export function exact(iso: string | undefined): string {
    return iso ? new Date(iso).toLocaleString() : "";
}

export function millis(ms: number | undefined): string {
    if (ms === undefined) return "";
    if (ms < 1) return "< 1 ms";
    if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
    const seconds = Math.round(ms / 100) / 10;
    if (seconds < 60) return `${seconds} s`;
    const whole = Math.round(ms / 1000);
    if (whole >= 7200 && whole % 3600 === 0) return `${whole / 3600} h`;
    return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}

export function bytes(n: number): string {
    if (n < 1024) return `${n} B`;
    if (n < 1024 ** 2) return `${trim(n / 1024)} KiB`;
    if (n < 1024 ** 3) return `${trim(n / 1024 ** 2)} MiB`;
    return `${trim(n / 1024 ** 3)} GiB`;
}

export function count(n: number): string {
    if (n < 1000) return String(n);
    if (n < 1e6) return `${trim(n / 1000)} k`;
    if (n < 1e9) return `${trim(n / 1e6)} M`;
    return `${trim(n / 1e9)} G`;
}

/** US$: as many digits as say something. */
export function money(dollars: number): string {
    if (dollars <= 0) return "$0";
    if (dollars < 0.0001) return "< $0.0001";
    return `$${dollars < 0.01 ? dollars.toFixed(4) : dollars < 1 ? dollars.toFixed(3) : dollars.toFixed(2)}`;
}

function trim(n: number): string {
    return n < 10 ? n.toFixed(1).replace(/\.0$/, "") : String(Math.round(n));
}

export function plural(n: number, one: string, many = `${one}s`): string {
    return `${n} ${n === 1 ? one : many}`;
}
