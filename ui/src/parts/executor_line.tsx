import { Icon } from "../icon.tsx";
import { currentView, useApp } from "../state.ts";
import { count, millis, plural } from "../words.ts";

const words: Record<string, string> = { queued: "queued", running: "at work", done: "done", failed: "failed", stopped: "stopped", limit: "stopped by a limit" };
const tones: Record<string, string> = { running: "wait", done: "ok", failed: "stop", limit: "warn" };

/** What the executor of a call does, or came to, and the way to its own conversation. */
export function ExecutorLine({ id }: { id: string }) {
    const view = currentView();
    useApp(() => [view?.side.executors.get(id)]);
    const state = view?.side.executors.get(id);
    if (!state) return null;
    const numbers = [state.turns ? plural(state.turns, "turn") : "", state.input_tokens || state.output_tokens ? `${count((state.input_tokens ?? 0) + (state.output_tokens ?? 0))} tokens` : "",
        state.cost ? `$${state.cost.toFixed(state.cost < 0.1 ? 4 : 2)}` : "", state.ms && state.state !== "running" ? millis(state.ms) : ""].filter(Boolean);
    const why = state.reason && state.reason !== state.state && state.state !== "done" ? ` (${state.reason})` : "", waits = state.waiting && state.state === "running";
    return <p class="executor-line" data-state={state.state}>
        {waits ? <Icon name="hand" size={14} /> : state.state === "running" ? <span class="pulse" /> : null}<strong>{state.agent || "executor"}</strong>
        <span class={`executor-state ${tones[state.state] ?? ""}`}>{waits ? "waits for you" : words[state.state] ?? state.state}{why}</span>
        <span class="muted">{numbers.join(" · ")}</span><span class="spring" />
        <a href={`#/s/${id}`}>Open<span class="sr-only"> the executor {state.description}</span></a></p>;
}
