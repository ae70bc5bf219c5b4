import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { attempt } from "../state.ts";
import type { Worktree } from "../types_runtime.ts";
import { ago, exact } from "../words.ts";
import { WorktreeRow } from "./worktree.tsx";

/** The branches of executors that wait for a decision, wherever their sessions are, and those that a crash left over. */
export function Branches() {
    const [list, setList] = useState<Worktree[] | null>(null);
    const load = () => attempt(async () => setList((await runtimeApi.worktrees()).worktrees));
    useEffect(() => { void load(); }, []);
    const open = (list ?? []).filter((w) => w.state === "active" || w.state === "finished" || w.state === "conflict" || w.state === "dead");
    if (list === null) return null;
    if (open.length === 0) return <div class="tool-empty"><h2>No branch waits</h2><p class="muted">An executor that works in a worktree of its own leaves its changes on a branch. They are merged, kept or discarded here, or beside the executor in its session.</p></div>;
    return <section class="tool-view" aria-label="Branches"><h2>Branches of executors</h2><ul class="tree">{open.map((w) => <li key={w.id}>
        <p class="small">{w.executor ? <a class="see" href={`#/s/${w.executor}`}>The executor's session</a> : <span class="muted">Its session is gone</span>}{w.created_at ? <span class="muted" title={exact(w.created_at)}> · {ago(w.created_at)}</span> : null}</p>
        <WorktreeRow id={w.id} branch={w.branch} state={w.state} tree={w} reload={() => void load()} /></li>)}</ul></section>;
}
