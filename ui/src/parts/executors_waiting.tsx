import { useEffect } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import type { View } from "../fold.ts";
import { Icon } from "../icon.tsx";
import { change, inspect, useApp } from "../state.ts";
import { plural } from "../words.ts";

/** Executors that wait for an answer, for a reader of their manager's session: the question itself stands in the executor's own. */
export function ExecutorsWaiting({ view }: { view: View }) {
    useApp(() => [view.side.executorRev, view.running]);
    useEffect(() => { // who waits since before the page was opened
        if (!view.running || !view.caughtUp) return;
        runtimeApi.executors(view.id).then(({ executors }) => change(() => {
            for (const e of executors) if (e.waiting && !view.side.executors.get(e.session)?.waiting) view.side.executors.set(e.session, { type: "executor", executor: e.session, agent: e.agent, description: e.description, state: e.state, waiting: true });
            view.side.executorRev++;
        }), () => {}); // it is only a sign: the list says what is wrong
    }, [view.id, view.running, view.caughtUp]);
    const waiting = [...view.side.executors.values()].filter((e) => e.waiting && (e.state === "running" || e.state === "queued"));
    const [first] = waiting;
    if (!first) return null;
    if (waiting.length > 1) return <button type="button" class="waiting" onClick={() => inspect(null)}><Icon name="hand" size={14} /><span>{plural(waiting.length, "executor")} wait for you</span></button>;
    return <a class="waiting" href={`#/s/${first.executor}`} title={first.description}><Icon name="hand" size={14} /><span>{first.agent || "An executor"} waits for you</span></a>;
}
