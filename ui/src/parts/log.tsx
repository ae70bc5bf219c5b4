import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { loadOlder } from "../older.ts";
import { app, attempt, change, pendingQuestion, useApp, watch } from "../state.ts";
import type { Item, View } from "../fold.ts";
import { indexOfSeq, shownItems } from "../versions.ts";
import { useVirtual } from "../virtual.ts";
import { millis } from "../words.ts";
import { ExecutorQuestions } from "./executors_waiting.tsx";
import { ItemView } from "./items.tsx";
import { Queue } from "./queue.tsx";

const guesses: Partial<Record<Item["kind"], number>> = { user: 72, assistant: 150, end: 44, line: 32, versions: 40 };
const nearTop = 1500; // px: older events are asked for

export function Log({ view }: { view: View }) {
    const { goTo } = useApp(() => [view.rev, view.side.executorRev, app.goTo]);
    const last = useRef({ top: 0, height: 0 });
    const [below, setBelow] = useState(false);
    const ready = view.caughtUp;
    const items = ready ? shownItems(view) : [];
    const { v, from, to } = useVirtual<Item>(items, { key: (i) => i.key, guess: (i) => guesses[i.kind] ?? 80, all: 60, follow: true, settled: () => older() });

    const older = () => {
        if (ready && view.firstSeq > 1 && v.box!.scrollTop < nearTop) void attempt(() => loadOlder(view, change));
    };
    const atEnd = () => v.box!.scrollHeight - v.box!.scrollTop - v.box!.clientHeight < 24;
    const toEnd = () => {
        v.follow = true;
        setBelow(false);
        v.box!.scrollTop = v.box!.scrollHeight;
    };
    useLayoutEffect(() => {
        if (!v.follow && ready && !atEnd()) setBelow(true);
    }, [view.news]);
    useEffect(() => { // an event that was asked for: by a hit of the search, or the address
        if (!ready || goTo === null) return;
        void attempt(async () => {
            await loadOlder(view, change, goTo);
            const list = shownItems(view), found = list[Math.max(0, indexOfSeq(list, goTo))];
            if (app.goTo !== goTo) return;
            change(() => { app.goTo = null; app.marked = found?.key ?? null; });
            if (found) v.reveal(found.key, 0.2);
        });
    }, [ready, goTo]);
    const onScroll = () => {
        const el = v.box;
        if (!el) return; // it is gone, and its last scrolling is told a frame later
        const up = el.scrollTop < last.current.top - 1 && el.scrollHeight >= last.current.height;
        if (!up && atEnd()) { v.follow = true; setBelow(false); }
        else if (up) v.follow = false;
        last.current = { top: el.scrollTop, height: el.scrollHeight };
        v.scrolled();
        older();
    };
    const toStart = () => attempt(async () => { // of the session, not of what is loaded
        await loadOlder(view, change, 1);
        const first = shownItems(view)[0];
        if (first && app.current === view.id) v.reveal(first.key);
    });
    const marked = app.marked;
    return <div class="log-frame">
        <div class="log" ref={(el) => { v.box = el; }} tabindex={0} role="log" aria-label="Messages" aria-live="off" onScroll={onScroll}
            onKeyDown={(e) => { if (e.key === "Home" && e.target === v.box) { e.preventDefault(); void toStart(); } }}
            onWheel={(e) => { if (e.deltaY < 0 && v.box!.scrollHeight > v.box!.clientHeight) v.follow = false; }}>
            <div class="column">
                {ready && view.firstSeq > 1 ? <button type="button" class="quiet earlier" onClick={() => { void attempt(() => loadOlder(view, change)); }}>Earlier messages</button> : null}
                <div ref={(el) => { v.list = el; }}>
                    {items.slice(from, to).map((item) => <div key={item.key} data-key={item.key} class={`slot of-${item.kind} ${item.key === marked ? "marked" : ""}`}><ItemView item={item} rev={item.rev} view={view} /></div>)}
                </div>
                {ready ? <Activity view={view} /> : view.failed ? <Failed view={view} /> : <Loading />}
                {ready ? <ExecutorQuestions view={view} /> : null}
                {ready ? <Queue view={view} /> : null}
                {ready && items.length === 0 && !view.running ? <p class="empty">This session has no messages yet.</p> : null}
            </div>
        </div>
        {below ? <button type="button" class="chip" onClick={toEnd}><Icon name="down" size={14} /> New below</button> : null}
        <p class="sr-only" aria-live="polite">{announce(view)}</p>
    </div>;
}

function Failed({ view }: { view: View }) {
    return <div class="item notice stop" role="alert"><Icon name="triangle" label="Error" /><div><p>This session cannot be opened: {view.failed}</p>
        <p class="muted">With the server stopped, <code>boxagnts session fsck --repair</code> mends what can be mended and keeps the file as it was. <button type="button" class="quiet" onClick={() => void watch(view.id)}>Try again</button></p></div></div>;
}

function Loading() {
    const [late, setLate] = useState(false);
    useEffect(() => {
        const timer = setTimeout(() => setLate(true), 400);
        return () => clearTimeout(timer);
    }, []);
    return late ? <p class="activity"><span class="pulse" /> Opening the session{app.connected ? "" : ", as soon as the server answers"}</p> : null;
}

/** What a screen reader hears: states, not every token. */
function announce(view: View): string {
    const pending = pendingQuestion();
    if (pending) return `Waiting for you: ${pending.question.text}`;
    for (const a of view.side.asking.values()) return `${a.agent || "An executor"} waits for you: ${a.question.text}`;
    if (view.running) return "The assistant is working.";
    const item = view.items[view.items.length - 1];
    return item?.kind === "end" ? (item.reason === "done" ? "The assistant is done." : "The run has ended.") : "";
}

function Activity({ view }: { view: View }) {
    const [, tick] = useState(0);
    useEffect(() => {
        if (!view.running) return;
        const timer = setInterval(() => tick((n) => n + 1), 500);
        return () => clearInterval(timer);
    }, [view.running]);
    if (!view.running) return null;
    if (view.stopping) return <p class="activity"><span class="pulse" /> Stopping</p>;
    if (view.retry) {
        return <p class="activity warn"><Icon name="clock" size={14} /> {view.retry.reason}. Trying again in {millis(view.retry.waitMs)} (attempt {view.retry.attempt + 1}).</p>;
    }
    const item = view.items[view.items.length - 1];
    const streaming = item?.kind === "assistant" && item.finish === null && (item.text || item.calls.length);
    if (streaming || view.phase === "waiting" || view.phase === "tools") return null;
    const since = view.runStartedAt ? Date.now() - view.runStartedAt : 0;
    const says = view.phaseText || "thinking";
    return <p class="activity"><span class="pulse" /> {says[0]!.toUpperCase() + says.slice(1)}{since > 2000 ? <span class="muted"> · {millis(since)}</span> : null}</p>;
}
