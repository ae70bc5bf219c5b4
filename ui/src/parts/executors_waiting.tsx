import { useEffect } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { questionEvent } from "../api_sessions.ts";
import type { View } from "../fold.ts";
import { knownNow, takeList } from "../fold_runtime.ts";
import { Icon } from "../icon.tsx";
import { app, change, toQuestion, useApp } from "../state.ts";
import { plural } from "../words.ts";
import { QuestionView } from "./question.tsx";

/** Who waits since before the page was opened or while it had no connection, and for what. */
async function catchUp(view: View): Promise<void> {
    const before = knownNow(view.side);
    const { executors } = await runtimeApi.executors(view.id);
    const questions = await Promise.all(executors.map((e) => (e.waiting && !view.side.asking.has(e.session) ? questionEvent(e.session) : null)));
    change(() => takeList(view.side, before, executors, questions));
}

/** Executors that wait for an answer, for a reader of their manager's session who is elsewhere in it. */
export function ExecutorsWaiting({ view }: { view: View }) {
    const { connected } = useApp(() => [view.side.executorRev, view.running, app.connected]);
    useEffect(() => {
        if (view.running && view.caughtUp && connected) catchUp(view).catch(() => {}); // it is only a sign: the list says what is wrong
    }, [view.id, view.running, view.caughtUp, connected]);
    const waiting = [...view.side.executors.values()].filter((e) => e.waiting && (e.state === "running" || e.state === "queued"));
    const [first] = waiting;
    if (!first) return null;
    const asking = waiting.map((e) => view.side.asking.get(e.executor)).find(Boolean), who = first.agent || "An executor";
    const text = waiting.length > 1 ? `${plural(waiting.length, "executor")} wait for you` : `${who} waits for you`;
    if (!asking) return <a class="waiting" href={`#/s/${first.executor}`} title={first.description}><Icon name="hand" size={14} /><span>{text}</span></a>;
    return <button type="button" class="waiting" title={first.description} onClick={() => toQuestion(asking.question.id)}><Icon name="hand" size={14} /><span>{text}</span></button>;
}

/** What they ask, at the end of their manager's conversation: whoever manages need not go from one to the other. */
export function ExecutorQuestions({ view }: { view: View }) {
    return <>{[...view.side.asking.values()].map((a) => <section key={a.question.id} class="card wait asking" aria-label={`Question of ${a.agent || "an executor"}: ${a.description}`}>
        <p class="asking-head"><Icon name="users" size={14} /><strong>{a.agent || "executor"}</strong><span class="asking-what">{a.description}</span><a href={`#/s/${a.executor}`}>Open<span class="sr-only"> the executor {a.description}</span></a></p>
        <QuestionView session={a.executor} question={a.question} call={a.call} /></section>)}</>;
}
