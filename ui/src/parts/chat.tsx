import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { answer, app, change, currentView, open, pendingQuestion, stop, useApp } from "../state.ts";
import type { View } from "../fold.ts";
import type { Choice } from "../types.ts";
import { Composer } from "./composer.tsx";
import { FirstRun } from "./first_run.tsx";
import { ItemView } from "./items.tsx";
import { StatusLine } from "./status.tsx";
import { millis } from "../words.ts";

export function Chat() {
    useApp();
    const view = currentView();
    useKeys();
    return <main class="chat" aria-label="Conversation">
        <Head view={view} />
        {view ? <Log key={view.id} view={view} /> : <FirstRun />}
        <div class="dock">
            <StatusLine view={view} />
            <Composer view={view} />
        </div>
    </main>;
}

function Head({ view }: { view: View | null }) {
    const row = app.sessions.find((s) => s.id === view?.id);
    const title = view ? view.title || row?.title || "New session" : "New session";
    useEffect(() => { document.title = view ? `${title} · BoxAgnts` : "BoxAgnts"; }, [title, view]);
    return <header class="chat-head">
        <button type="button" class="icon-button only-narrow" aria-label="Sessions" onClick={() => change(() => { app.sessionsOpen = true; })}><Icon name="menu" /></button>
        <h1>{title}</h1>
        <button type="button" class="icon-button" title="Settings" aria-label="Settings" aria-pressed={app.panel === "settings"}
            onClick={() => change(() => { app.panel = app.panel === "settings" ? "none" : "settings"; })}><Icon name="settings" /></button>
    </header>;
}

function Log({ view }: { view: View }) {
    const box = useRef<HTMLDivElement>(null);
    const follow = useRef(true);
    const [below, setBelow] = useState(false);
    const atEnd = () => {
        const el = box.current!;
        return el.scrollHeight - el.scrollTop - el.clientHeight < 48;
    };
    useLayoutEffect(() => {
        const el = box.current!;
        if (follow.current) el.scrollTop = el.scrollHeight;
        else if (!atEnd()) setBelow(true);
    }, [view.rev]);
    const toEnd = () => {
        follow.current = true;
        setBelow(false);
        box.current!.scrollTop = box.current!.scrollHeight;
    };
    return <div class="log-frame">
        <div class="log" ref={box} tabindex={0} role="log" aria-label="Messages" aria-live="off"
            onScroll={() => { follow.current = atEnd(); if (follow.current) setBelow(false); }}>
            <div class="column">
                {view.items.map((item) => <ItemView key={item.key} item={item} rev={item.rev} running={view.running} />)}
                <Activity view={view} />
                {view.caughtUp && view.items.length === 0 && !view.running ? <p class="empty">This session has no messages yet.</p> : null}
            </div>
        </div>
        {below ? <button type="button" class="chip below" onClick={toEnd}>New below</button> : null}
        <p class="sr-only" aria-live="polite">{announce(view)}</p>
    </div>;
}

/** What a screen reader hears: states, not every token. */
function announce(view: View): string {
    if (pendingQuestion()) return `Waiting for you: ${pendingQuestion()!.question.text}`;
    if (view.running) return "The assistant is working.";
    const last = view.items[view.items.length - 1];
    return last?.kind === "assistant" ? "The assistant is done." : last?.kind === "notice" ? last.text : "";
}

function Activity({ view }: { view: View }) {
    const [, tick] = useState(0);
    useEffect(() => {
        if (!view.running) return;
        const timer = setInterval(() => tick((n) => n + 1), 500);
        return () => clearInterval(timer);
    }, [view.running]);
    if (!view.running) return null;
    const last = view.items[view.items.length - 1];
    const streaming = last?.kind === "assistant" && last.finish === null && (last.text || last.calls.length);
    if (view.retry) {
        return <p class="activity warn"><Icon name="clock" size={14} /> {view.retry.reason}. Trying again in {millis(view.retry.waitMs)} (attempt {view.retry.attempt + 1}).</p>;
    }
    if (streaming || view.phase === "waiting" || view.phase === "tools") return null;
    const since = view.runStartedAt ? Date.now() - view.runStartedAt : 0;
    return <p class="activity"><span class="pulse" /> {view.phaseText || "Thinking"}{since > 2000 ? <span class="muted"> · {millis(since)}</span> : null}</p>;
}

/** Esc stops (twice while a write is under way), 1 to 4 answer a question, Ctrl+K begins a session. */
function useKeys(): void {
    useEffect(() => {
        let escAt = 0;
        const onKey = (e: KeyboardEvent) => {
            const typing = e.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) && (e.target as HTMLInputElement).value !== "";
            const question = pendingQuestion();
            if ((e.ctrlKey || e.metaKey) && e.key === "k") {
                e.preventDefault();
                open(null);
            } else if (question && !typing && !e.ctrlKey && !e.metaKey && !e.altKey && /^[1-4]$/.test(e.key)) {
                const choice = (["once", "session", "always", "no"] as Choice[])[Number(e.key) - 1]!;
                if (question.question.choices.includes(choice)) { e.preventDefault(); void answer(question.question.id, choice); }
            } else if (e.key === "Escape" && question) {
                void answer(question.question.id, "no");
            } else if (e.key === "Escape" && currentView()?.running) {
                const view = currentView()!;
                const writing = view.items.some((i) => i.kind === "assistant" && i.calls.some((c) => c.state === "running" && c.level !== "read_only" && c.level !== "none"));
                if (writing && Date.now() - escAt > 2000) {
                    escAt = Date.now();
                    change(() => { app.toast = { text: "A change is under way. Press Esc again to stop it." }; });
                    setTimeout(() => change(() => { app.toast = null; }), 2000);
                } else void stop();
            } else if (e.key === "Escape" && app.panel !== "none") {
                change(() => { app.panel = "none"; });
            }
        };
        window.addEventListener("keydown", onKey);
        return () => window.removeEventListener("keydown", onKey);
    }, []);
}
