import { useEffect } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { questionEvent } from "../api_sessions.ts";
import type { View } from "../fold.ts";
import { asks } from "../fold_runtime.ts";
import { Icon } from "../icon.tsx";
import { app, change, toQuestion, useApp } from "../state.ts";
import type { Executor } from "../types_runtime.ts";
import { plural } from "../words.ts";
import { QuestionView } from "./question.tsx";

/** Who waits since before the page was opened or while it had no connection, and for what. What events have said since the list
 * was asked for is newer than the list. */
async function catchUp(view: View): Promise<void> {
    const { executors: known, asking } = view.side, before = { known: new Map(known), asking: new Map(asking) };
    const { executors } = await runtimeApi.executors(view.id);
    const isNews = (id: string) => known.get(id) === before.known.get(id) && asking.get(id) === before.asking.get(id);
    const questions = await Promise.all(executors.map((e) => (e.waiting && isNews(e.session) && !asking.has(e.session) ? questionEvent(e.session) : null)));
    change(() => {
        executors.forEach((e, i) => {
            if (!isNews(e.session)) return;
            const question = questions[i];
            if (!e.waiting) asking.delete(e.session);
            if (e.waiting !== (known.get(e.session)?.waiting ?? false)) known.set(e.session, { ...known.get(e.session), ...said(e) });
            if (question) asks(view.side, { executor: e.session, agent: e.agent, description: e.description, question });
        });
        view.side.executorRev++;
    });
}

const said = (e: Executor) => ({ type: "executor" as const, executor: e.session, agent: e.agent, description: e.description, state: e.state, waiting: e.waiting });

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
