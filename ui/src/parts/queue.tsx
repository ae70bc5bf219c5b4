import { Icon } from "../icon.tsx";
import { takeBack } from "../sessions.ts";
import { useApp } from "../state.ts";
import type { View } from "../fold.ts";

/** What was typed while a run is at work: it joins at the next turn, and can be taken back until then. */
export function Queue({ view }: { view: View }) {
    useApp(() => [view.queued]);
    if (view.queued.length === 0) return null;
    return <ul class="queue" aria-label="Waiting to be sent">{view.queued.map((q) => <li key={q.id}>
        <div class="bubble"><p>{q.text}</p>
            <p class="queue-foot"><Icon name="clock" size={12} /> Joins at the next turn
                <button type="button" class="quiet" aria-label={`Take back: ${q.text.slice(0, 60)}`} onClick={() => { void takeBack(view, q); }}>Take back</button></p></div></li>)}</ul>;
}
