import { useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import type { View } from "../fold.ts";
import { useApp } from "../state.ts";
import type { Todo } from "../types.ts";

const words: Record<Todo["status"], string> = { pending: "to do", in_progress: "in work", completed: "done" };

/** The session's list of tasks: one line with what is in work, all of it on demand. Gone when everything is done and nothing runs. */
export function Tasks({ view }: { view: View | null }) {
    const [open, setOpen] = useState(false);
    useApp(() => [view?.todos, view?.running]);
    const todos = view?.todos ?? [];
    const done = todos.filter((t) => t.status === "completed").length;
    if (todos.length === 0 || (done === todos.length && !view!.running)) return null;
    const now = todos.find((t) => t.status === "in_progress") ?? todos.find((t) => t.status === "pending");
    return <section class="tasks" aria-label="Tasks">
        <button type="button" class="tasks-line" aria-expanded={open} onClick={() => setOpen(!open)}>
            <Icon name="list" size={14} /><span class="tasks-now">{now ? (now.status === "in_progress" && now.activeForm) || now.content : "All done"}</span>
            <span class="muted">{done} of {todos.length}</span><span class={`turn ${open ? "down" : ""}`}><Icon name="chevron" size={14} /></span>
        </button>
        {open ? <ul>{todos.map((t, i) => <li key={i} class={t.status}>
            <span class="task-mark" role="img" aria-label={words[t.status]}>{t.status === "completed" ? <Icon name="check" size={12} /> : t.status === "in_progress" ? <span class="pulse" /> : null}</span>
            <span>{t.content}</span></li>)}</ul> : null}
    </section>;
}
