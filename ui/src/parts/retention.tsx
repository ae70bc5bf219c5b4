import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { runtimeApi } from "../api_runtime.ts";
import { attempt } from "../state.ts";
import type { SessionRow } from "../types.ts";
import type { Retention } from "../types_runtime.ts";
import { ago, exact, plural } from "../words.ts";

/** How long sessions are kept, and which would go. Nothing goes before it was said here. */
export function RetentionSection() {
    const [now, setNow] = useState<Retention | null>(null);
    const [archive, setArchive] = useState("");
    const [remove, setRemove] = useState("");
    const show = (r: Retention) => { setNow(r); setArchive(r.archive_after_days === null ? "" : String(r.archive_after_days)); setRemove(r.delete_after_days === null ? "" : String(r.delete_after_days)); };
    const load = () => attempt(async () => show(await runtimeApi.retention()));
    useEffect(() => { void load(); }, []);
    if (!now) return null;
    const days = (text: string) => (text.trim() === "" ? null : Number(text));
    const bad = [archive, remove].some((t) => t.trim() !== "" && !(Number.isInteger(Number(t)) && Number(t) > 0));
    const dirty = days(archive) !== now.archive_after_days || days(remove) !== now.delete_after_days;
    const save = () => attempt(async () => { await api.saveSettings({ retention: { archive_after_days: days(archive), delete_after_days: days(remove) } }); await load(); });
    return <section aria-label="How long sessions are kept">
        <h3>How long sessions are kept</h3>
        <form class="stack keep-form" onSubmit={(e) => { e.preventDefault(); if (!bad && dirty) void save(); }}>
            <label><span>To the archive after</span><input value={archive} inputMode="numeric" placeholder="never" onInput={(e) => setArchive(e.currentTarget.value)} /><span>days</span></label>
            <label><span>Deleted after</span><input value={remove} inputMode="numeric" placeholder="never" onInput={(e) => setRemove(e.currentTarget.value)} /><span>days</span></label>
            {bad ? <p class="field-problem" role="alert">Whole days from 1, or nothing for never.</p> : null}
            {dirty ? <button type="submit" disabled={bad}>Save</button> : null}
        </form>
        <Rows title="would go to the archive" rows={now.would_archive} /><Rows title="would be deleted" rows={now.would_delete} />
        <p class="muted">Counted from the last event, done once a day. Pinned sessions stay; archived ones can be brought back.</p>
    </section>;
}

function Rows({ title, rows }: { title: string; rows: SessionRow[] }) {
    if (rows.length === 0) return null;
    return <details class="fold"><summary>{plural(rows.length, "session")} {title}</summary><ul class="keep-rows">{rows.slice(0, 50).map((r) => <li key={r.id}><a href={`#/s/${r.id}`}>{r.title || "Untitled"}</a><span class="muted" title={exact(r.updated_at)}>{ago(r.updated_at)}</span></li>)}
        {rows.length > 50 ? <li class="muted">and {rows.length - 50} more</li> : null}</ul></details>;
}
