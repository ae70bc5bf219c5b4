// The events of a session that are neither a message nor a call: what is remembered of them, and their lines in the conversation.
import type { Item, View } from "./fold.ts";
import { calls } from "./fold.ts";
import type { IconName } from "./icon.tsx";
import type { SessionEvent } from "./types_sessions.ts";
import type { Event } from "./types.ts";

type Logged<T> = T & { seq?: number; t?: string; run?: string };

/** Whether it was one of those. */
export function foldSession(view: View, ev: Event): boolean {
    switch (ev.type) {
    case "pin":
        return true;
    case "planner":
        view.planner = ev.planner;
        line(view, ev, "users", ev.planner ? "The assistant plans and hands work to executors." : "The assistant works itself again.");
        return true;
    case "rewind":
        view.rewinds = [...view.rewinds, { to: ev.to, at: ev.seq ?? 0 }];
        return true;
    case "queued": {
        const { id, text, skill, args, compact, message } = ev;
        const more = Object.fromEntries(Object.entries({ skill, args, compact, message }).filter(([, value]) => value !== undefined));
        if (!view.queued.some((q) => q.id === id)) view.queued = [...view.queued, { id, text, ...more }];
        return true;
    }
    case "unqueue":
        view.queued = view.queued.filter((q) => q.id !== ev.id);
        if (ev.why) line(view, ev, "triangle", `Not sent: ${ev.text ?? ""}`, ev.why);
        return true;
    case "compact":
        if (ev.queued) view.queued = view.queued.filter((q) => q.id !== ev.queued);
        view.items.push({ ...base(ev, "c"), kind: "compact", by: ev.by, summary: ev.summary ?? "", kept: ev.kept ?? [], lost: ev.lost ?? {}, before: ev.before_tokens, after: ev.after_tokens });
        return true;
    case "fact":
        line(view, ev, "pin", ev.from === "model" ? "Remembered as a fact" : "Pinned as a fact", ev.text);
        return true;
    case "fact_drop":
        line(view, ev, "pin", "A pinned fact was dropped.");
        return true;
    case "attach":
    case "detach":
        line(view, ev, "pack", ev.type === "attach" ? `Context pack \`${ev.pack}\` is attached.` : `Context pack \`${ev.pack}\` is no longer attached.`);
        return true;
    case "cache_break":
        line(view, ev, "history", `The model reads everything anew: ${ev.part} changed.`, ev.what);
        return true;
    case "skill":
        view.skills = [...view.skills.filter((s) => s.skill !== ev.skill), ...(ev.active ? [{ skill: ev.skill, tools: ev.tools ?? null }] : [])];
        line(view, ev, "sparkles", ev.active ? `Skill \`${ev.skill}\` is active.` : `Skill \`${ev.skill}\` has ended.`, ev.active && ev.tools ? `only ${ev.tools.join(", ")}` : undefined);
        return true;
    case "executor":
    case "executor_state":
        link(view, ev);
        return true;
    }
    return false;
}

function base(ev: Logged<SessionEvent>, letter: string) {
    return { key: `${letter}${ev.seq}`, seq: ev.seq, rev: 0, t: ev.t, run: ev.run };
}

function line(view: View, ev: Logged<SessionEvent>, icon: IconName, text: string, more?: string): void {
    view.items.push({ ...base(ev, "l"), kind: "line", icon, text, more });
}

/** The call that began an executor leads to it. Those in the background outlive their run: all calls are looked at. */
function link(view: View, { executor, call: id }: { executor: string; call?: string }): void {
    for (const { call, item } of calls(view)) {
        if (call.id !== id || (call.executor && call.executor !== executor)) continue;
        call.executor = executor;
        item.rev++;
        return;
    }
}

/** The events before a view's first one, folded on their own and put in front of what is there. */
export function putBefore(view: View, older: View): void {
    const open = older.lastRun; // the run that goes on in what is there
    const end = open === null ? undefined : view.items.find((i): i is Extract<Item, { kind: "end" }> => i.kind === "end" && i.run === open);
    const add = (to: { input: number; output: number }) => ({ input: to.input + older.runTokens.input, output: to.output + older.runTokens.output });
    if (end) Object.assign(end, add(end), { partial: !older.runWhole, rev: end.rev + 1 });
    else if (open !== null && view.run === open) {
        Object.assign(view, { runTokens: add(view.runTokens), runWhole: older.runWhole });
        view.runStartedAt ??= older.runStartedAt;
    }
    view.items = [...older.items, ...view.items];
    view.rewinds = [...older.rewinds, ...view.rewinds];
    const newer = [...view.side.executors.values()];
    for (const [id, e] of older.side.executors) if (!view.side.executors.has(id)) view.side.executors.set(id, e);
    for (const e of newer) link(view, e); // their calls may only be here now
    view.side.compaction ??= older.side.compaction;
    view.side.executorRev++;
    view.rev++;
}
