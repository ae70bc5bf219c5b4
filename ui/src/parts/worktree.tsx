import { useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { Icon } from "../icon.tsx";
import { attempt } from "../state.ts";
import type { Settled, Worktree, WorktreeState } from "../types_runtime.ts";
import { plural } from "../words.ts";
import { Diff } from "./diff.tsx";
import { Inline } from "./markdown.tsx";
import { Sure } from "./sure.tsx";

const words: Record<WorktreeState, string> = { active: "being worked on", finished: "ready to merge", merged: "merged", kept: "kept as a branch", discarded: "discarded", conflict: "conflicts, nothing was merged", dead: "left over by an executor that is gone" };

/** An executor's branch: what it changed, and what becomes of it. */
export function WorktreeRow({ id, branch, state, tree, reload }: { id: string; branch: string; state: WorktreeState; tree: Worktree | null; reload(): void }) {
    const [diff, setDiff] = useState<{ diff: string; cut: boolean } | null>(null);
    const [settled, setSettled] = useState<Settled | null>(null);
    const [busy, setBusy] = useState(false);
    const now = settled?.state ?? state, conflicts = settled?.conflicts ?? [];
    const open = now === "finished" || now === "conflict" || now === "dead", over = now === "merged" || now === "discarded" || now === "kept";
    const problem = settled?.problem ?? tree?.problem;
    const settle = async (how: "merge" | "keep" | "discard") => {
        setBusy(true);
        await attempt(async () => setSettled(await runtimeApi.settle(id, how)));
        setBusy(false);
        reload();
    };
    const show = () => (diff ? setDiff(null) : void attempt(async () => setDiff(await runtimeApi.diff(id))));
    return <div class="worktree" data-state={now}>
        <p class="small"><Icon name="branch" size={14} label="Branch" /> <code class="path">{branch}</code> <span class="muted">{words[now] ?? now}</span></p>
        {tree ? <p class="small muted tree-facts">{plural(tree.files, "file")} <span class="added">+{tree.insertions}</span> <span class="removed">−{tree.deletions}</span>{tree.into ? ` for ${tree.into}` : ""}{tree.uncommitted && !over ? `; it began without your ${plural(tree.uncommitted, "file")} that ${tree.uncommitted === 1 ? "is" : "are"} not committed` : ""}</p> : null}
        {(problem && !over) || conflicts.length ? <div class="conflicts" role={settled ? "alert" : undefined}><p class="small"><Inline text={problem || "These files were changed on both sides. Nothing was merged and nothing is lost: keep the branch and solve it there, or tell an executor to."} /></p>
            <ul>{conflicts.map((c) => <li key={c} class="path">{c}</li>)}</ul></div> : null}
        {over ? null : <div class="tree-acts">
            <button type="button" class="quiet" aria-expanded={diff !== null} aria-label={`${diff ? "Hide changes" : "Changes"} of ${branch}`} onClick={show}>{diff ? "Hide changes" : "Changes"}</button>
            {open ? <><button type="button" class="quiet" disabled={busy} aria-label={`Merge ${branch}`} onClick={() => void settle("merge")}>Merge</button>
                <button type="button" class="quiet" disabled={busy} title="The branch stays, the folder goes" aria-label={`Keep ${branch}`} onClick={() => void settle("keep")}>Keep</button>
                <Sure label="Discard" question={tree ? `Discard ${plural(tree.files, "changed file")}?` : "Discard its changes?"} yes="Discard" disabled={busy} act={() => void settle("discard")} /></> : null}</div>}
        {diff ? diff.diff ? <><Diff text={diff.diff} />{diff.cut ? <p class="muted small">It goes on: read the rest on the branch.</p> : null}</> : <p class="muted small">Nothing was changed.</p> : null}
    </div>;
}
