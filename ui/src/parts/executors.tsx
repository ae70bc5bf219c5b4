import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api.ts";
import { runtimeApi } from "../api_runtime.ts";
import { sessionsApi } from "../api_sessions.ts";
import type { View } from "../fold.ts";
import { Icon, type IconName } from "../icon.tsx";
import { attempt, useApp } from "../state.ts";
import type { Executor, ExecutorState, Worktree } from "../types_runtime.ts";
import { count, millis, money, plural } from "../words.ts";
import { OwnWords } from "./own_words.tsx";
import { WorktreeRow } from "./worktree.tsx";

const looks: Record<ExecutorState, [word: string, icon: IconName, tone: string]> = { queued: ["queued", "clock", ""], running: ["running", "play", "accent"], done: ["done", "check", "ok"], failed: ["failed", "triangle", "stop"],
    stopped: ["stopped", "square", ""], limit: ["limit", "triangle", "warn"] };
const active = (e: Executor) => e.state === "queued" || e.state === "running";

/** The tree of a session's executors, kept up to date; [null] until it was read once. */
function useExecutors(view: View): [Executor[] | null, Map<string, Worktree>, () => void] {
    const [list, setList] = useState<Executor[] | null>(null);
    const [trees, setTrees] = useState(new Map<string, Worktree>());
    const load = () => attempt(async () => {
        const { executors } = await runtimeApi.executors(view.id);
        setList(executors);
        if (executors.some((e) => e.worktree)) setTrees(new Map((await runtimeApi.worktrees()).worktrees.map((w) => [w.id, w])));
    });
    const latest = useRef(load);
    latest.current = load;
    // what the session's own log says comes at once; what executors of executors do is asked for while any works
    useEffect(() => {
        const timer = setTimeout(() => void latest.current(), list ? 300 : 0);
        return () => clearTimeout(timer);
    }, [view.id, view.side.executorRev]);
    const busy = list?.some(active) ?? false;
    useEffect(() => {
        if (!busy) return;
        const timer = setInterval(() => { if (!document.hidden) void latest.current(); }, 2000);
        return () => clearInterval(timer);
    }, [busy]);
    const merged = list?.map((e) => {
        const said = view.side.executors.get(e.session);
        if (said?.type !== "executor_state" || !active(e)) return e; // what is over stays over
        const { type: _, seq: __, executor: ___, ...more } = said;
        return { ...e, ...Object.fromEntries(Object.entries(more).filter(([k, v]) => k in e && v !== undefined && v !== null)) } as Executor;
    }) ?? null;
    return [merged, trees, () => void load()];
}

/** Who works for this session: what each does, what it used, and how to steer it. */
export function Executors({ view }: { view: View }) {
    useApp(() => [view.side.executorRev]);
    const [list, trees, reload] = useExecutors(view);
    if (!list || list.length === 0) return null;
    const working = list.filter(active);
    const stopAll = () => attempt(async () => { await Promise.allSettled(working.map((e) => api.stop(e.session))); reload(); });
    const below = (parent: string): Executor[] => list.filter((e) => e.parent === parent);
    const known = new Set(list.map((e) => e.session));
    const roots = list.filter((e) => !known.has(e.parent));
    const cost = list.reduce((n, e) => n + (e.cost ?? 0), 0), tokens = list.reduce((n, e) => n + e.input_tokens + e.output_tokens, 0);
    return <section aria-label="Executors"><h3>Executors</h3>
        <p class="small tree-sum"><span>{working.length ? `${working.length} of ${plural(list.length, "executor")} at work` : plural(list.length, "executor")}<span class="muted"> · {count(tokens)} tokens{cost ? ` · ${money(cost)}` : ""}</span></span>
            {working.length ? <button type="button" class="quiet stop-all" onClick={() => void stopAll()}>Stop all</button> : null}</p>
        <ul class="tree">{roots.map((e) => <Node key={e.session} executor={e} below={below} trees={trees} reload={reload} />)}</ul>
    </section>;
}

function Node({ executor: e, below, trees, reload }: { executor: Executor; below(id: string): Executor[]; trees: Map<string, Worktree>; reload(): void }) {
    const [saying, setSaying] = useState(false);
    const [sent, setSent] = useState(false);
    const [word, icon, tone] = e.waiting && active(e) ? ["waiting for you", "hand" as IconName, "wait"] : looks[e.state] ?? [e.state, "box" as IconName, ""];
    const children = below(e.session), tree = e.worktree ? trees.get(e.worktree.id) ?? null : null;
    const say = async (text: string) => {
        setSent(true);
        if (await attempt(async () => { await sessionsApi.send(e.session, text); return true; })) setSaying(false);
        setSent(false);
        reload();
    };
    const facts = [e.max_turns ? `${e.turns} of ${plural(e.max_turns, "turn")}` : plural(e.turns, "turn"), `${count(e.input_tokens + e.output_tokens)} tokens`, e.cost ? money(e.cost) : "", e.ms ? millis(e.ms) : ""].filter(Boolean);
    return <li data-state={e.state}>
        <div class="tree-line"><span class={`tree-state ${tone}`}><Icon name={icon} size={14} /><span class="tree-word">{word}{(e.state === "limit" || e.state === "failed") && e.reason ? `: ${e.reason}` : ""}</span></span><span class="tree-agent muted">{[e.name, e.agent].filter(Boolean).join(" · ")}</span></div>
        <a class="tree-what" href={`#/s/${e.session}`}>{e.description || "Untitled"}</a>
        <p class="muted small tree-facts">{e.state === "queued" ? "has not begun" : facts.join(" · ")}</p>
        {e.text && !active(e) ? <p class="small tree-text">{e.text}</p> : null}
        <div class="tree-acts"><a class="quiet-link" href={`#/s/${e.session}`} aria-label={`Open ${e.description}`}>Open</a>
            <button type="button" class="quiet" aria-expanded={saying} aria-label={`Message ${e.description}`} onClick={() => setSaying(!saying)}>Message</button>
            {active(e) ? <button type="button" class="quiet" aria-label={`Stop ${e.description}`} onClick={() => { void attempt(async () => { await api.stop(e.session); reload(); }); }}>Stop</button> : null}</div>
        {saying ? <OwnWords label={`A message to ${e.description}`} placeholder={active(e) ? "it reads this at its next turn" : "it begins again with this"} sent={sent} send={(t) => void say(t)} leave={() => setSaying(false)} /> : null}
        {e.worktree ? <WorktreeRow id={e.worktree.id} branch={tree?.branch ?? e.worktree.branch} state={tree?.state ?? e.worktree.state} tree={tree} reload={reload} /> : null}
        {children.length ? <ul class="tree">{children.map((c) => <Node key={c.session} executor={c} below={below} trees={trees} reload={reload} />)}</ul> : null}
    </li>;
}
