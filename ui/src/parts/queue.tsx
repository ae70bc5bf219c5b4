import { Icon, type IconName } from "../icon.tsx";
import { sendNow, takeBack } from "../sessions.ts";
import { useApp } from "../state.ts";
import type { View } from "../fold.ts";
import type { Queued } from "../types_sessions.ts";

const kind = (q: Queued): [icon: IconName, running: string, resting: string] =>
    q.compact !== undefined ? ["history", "Done before the next turn", "Done before your next message"]
        : q.skill !== undefined ? ["sparkles", `Skill ${q.skill} begins at the next turn`, `Skill ${q.skill} begins before your next message`]
            : ["clock", "Joins at the next turn", "Goes out before your next message"];

/** What was typed while a run is at work: it joins at the next turn, and can be taken back until then. After a stop nothing goes out by itself. */
export function Queue({ view }: { view: View }) {
    useApp(() => [view.queued, view.running]);
    if (view.queued.length === 0) return null;
    return <ul class="queue" aria-label="Waiting to be sent">{view.queued.map((q) => [q, kind(q)] as const).map(([q, [icon, running, resting]]) => <li key={q.id}>
        <div class="bubble"><p>{q.text}</p>
            <p class="queue-foot"><Icon name={icon} size={12} /> {view.running ? running : resting}
                {view.running ? null : <button type="button" class="quiet" onClick={() => { void sendNow(view, q); }}>Send now</button>}
                <button type="button" class="quiet" aria-label={`Take back: ${q.text.slice(0, 60)}`} onClick={() => { void takeBack(view, q); }}>Take back</button></p></div></li>)}</ul>;
}
