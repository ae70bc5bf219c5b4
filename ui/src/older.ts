// Long sessions are opened at their end; what is older comes in pages, backwards, as the reader nears it.
import { sessionsApi } from "./api_sessions.ts";
import { ApiError } from "./api.ts";
import { fold, newView, startsClean, type View } from "./fold.ts";
import { putBefore } from "./fold_sessions.ts";
import type { Event } from "./types.ts";

export const tail = 300; // events that are read when a session is opened
const page = 500;
const most = 5000; // what the server gives at once

/** Before the first subscription: where to begin, and what the events before that place said. */
export async function prepare(view: View): Promise<void> {
    const { session, queued, todos } = await sessionsApi.get(view.id);
    if (view.prepared) return; // asked for twice, by one who left and came back
    const first = Math.max(1, session.events - tail + 1);
    Object.assign(view, { firstSeq: first, lastSeq: first - 1, title: session.title, model: session.model, mode: session.mode, planner: session.planner ?? false, queued: queued ?? [], todos: todos ?? [], damaged: session.damaged, prepared: true });
    if (first > 1 && session.input_tokens !== undefined) Object.assign(view, { countedTo: session.events, totals: { input: session.input_tokens, output: session.output_tokens ?? 0 } });
}

const busy = new WeakMap<View, Promise<void>>();

/** Reads the page before what is there, or as much as it takes to come to the event `upTo`. */
export async function loadOlder(view: View, changed: (fn: () => void) => void, upTo?: number): Promise<void> {
    const other = busy.get(view);
    if (other) {
        if (upTo === undefined) return;
        await other.catch(() => {}); // whoever asked for that hears of it
    }
    const lacks = () => view.firstSeq > 1 && (upTo === undefined ? view.items.length === 0 : view.firstSeq > upTo || view.carry.some((e) => e.seq === upTo));
    if (view.firstSeq <= 1 || (upTo !== undefined && !lacks())) return;
    const work = (async () => {
        do {
            const wanted = upTo === undefined ? page : Math.min(most, Math.max(page, view.firstSeq - upTo));
            const from = Math.max(1, view.firstSeq - wanted);
            const events = await read(view.id, from, view.firstSeq);
            changed(() => take(view, from, events));
        } while (lacks());
    })();
    busy.set(view, work);
    try {
        await work;
    } finally {
        busy.delete(view);
    }
}

/** The events from there to before the other one; of a damaged session there are fewer than their numbers say. */
async function read(id: string, from: number, to: number): Promise<Event[]> {
    const all: Event[] = [];
    for (let limit = to - from, at: number | null = from; at !== null && at < to;) {
        try {
            const { events, next }: { events: Event[]; next: number | null } = await sessionsApi.events(id, at, Math.min(limit, to - at));
            all.push(...events.filter((e) => (e.seq ?? 0) < to));
            at = events.length ? next : null;
        } catch (e) {
            if (limit === 1 || !(e instanceof ApiError) || [0, 401, 404].includes(e.status)) throw e;
            limit = Math.ceil(limit / 4); // too large for one reply
        }
    }
    return all;
}

export function take(view: View, from: number, events: Event[]): void {
    const all = [...events, ...view.carry];
    const clean = from === 1 ? 0 : all.findIndex(startsClean);
    view.firstSeq = from;
    view.carry = clean < 0 ? all : all.slice(0, clean);
    if (clean < 0) return;
    const older = newView(view.id);
    older.firstSeq = from;
    older.countedTo = Infinity; // the totals are not made of these
    if (view.countedTo === 0) older.countedTo = 0;
    for (const ev of all.slice(clean)) fold(older, ev);
    if (view.countedTo === 0) view.totals = { input: view.totals.input + older.totals.input, output: view.totals.output + older.totals.output };
    putBefore(view, older);
}
