// What was written and not saved: kept in this browser tab under `edit:KIND:NAME` until it is saved, taken back or deleted, whatever
// page is shown meanwhile. (What was written into the message box is kept by it under `draft:…`.)
import { useEffect, useRef, useState } from "preact/hooks";
import { change } from "./state.ts";

interface Kept<T> { now: T; from: T } // `from`: what was there when the writing began

const same = (a: unknown, b: unknown) => a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));

export function keptDraft<T>(key: string): Kept<T> | null {
    try { return JSON.parse(sessionStorage.getItem(`edit:${key}`) ?? "null"); } catch { return null; }
}

function keep(key: string, kept: unknown): void {
    const was = keptDraft(key) !== null;
    try {
        if (kept) sessionStorage.setItem(`edit:${key}`, JSON.stringify(kept));
        else sessionStorage.removeItem(`edit:${key}`);
    } catch { /* too long to be kept: it is in the editor as long as that is open */ }
    if (was !== (kept !== null)) change(() => {}); // a list may name it
}

export const dropDraft = (key: string) => keep(key, null);

/** The names of a kind that something was written for. */
export function draftsOf(kind: string): string[] {
    const begin = `edit:${kind}:`;
    return Object.keys(sessionStorage).filter((k) => k.startsWith(begin)).map((k) => k.slice(begin.length)).sort();
}

/** `saved` as it was written on here. `changed`: what is saved became another text after the writing began. `stored`: this much of it is saved now. */
export function useDraft<T>(key: string, saved: T) {
    const [kept, setKept] = useState(() => keptDraft<T>(key));
    const last = useRef(kept);
    const put = (next: Kept<T> | null) => { keep(key, last.current = next); setKept(next); };
    const now = kept ? kept.now : saved, dirty = !same(now, saved);
    useEffect(() => {
        if (!dirty) return;
        const stay = (e: BeforeUnloadEvent) => e.preventDefault();
        window.addEventListener("beforeunload", stay);
        return () => window.removeEventListener("beforeunload", stay);
    }, [dirty]);
    return {
        now, dirty, changed: dirty && kept !== null && !same(kept.from, saved),
        set: (next: T) => put(same(next, saved) ? null : { now: next, from: kept ? kept.from : saved }),
        drop: () => put(null),
        stored: (sent: T) => {
            const latest = keptDraft<T>(key) ?? last.current; // the editor may have been left meanwhile
            put(latest && !same(latest.now, sent) ? { now: latest.now, from: sent } : null);
        },
    };
}
