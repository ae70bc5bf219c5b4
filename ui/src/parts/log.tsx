import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import { app, pendingQuestion, useApp } from "../state.ts";
import type { View } from "../fold.ts";
import { millis } from "../words.ts";
import { ItemView } from "./items.tsx";

const page = 60; // items drawn at first, and more when the reader comes near the top

export function Log({ view }: { view: View }) {
    useApp(() => [view.rev]);
    const box = useRef<HTMLDivElement>(null);
    const column = useRef<HTMLDivElement>(null);
    const follow = useRef(true);
    const last = useRef({ top: 0, height: 0 });
    const [below, setBelow] = useState(false);
    const [first, setFirst] = useState<number | null>(null);
    const ready = view.caughtUp;
    const from = first ?? Math.max(0, view.items.length - page);
    useLayoutEffect(() => { if (ready && first === null) setFirst(from); }, [ready]);

    const atEnd = () => box.current!.scrollHeight - box.current!.scrollTop - box.current!.clientHeight < 24;
    const toEnd = () => {
        follow.current = true;
        setBelow(false);
        box.current!.scrollTop = box.current!.scrollHeight;
    };
    useLayoutEffect(() => { // whatever makes the column longer: the view follows only a reader who is at its end
        const observer = new ResizeObserver(() => {
            if (follow.current) box.current!.scrollTop = box.current!.scrollHeight;
        });
        observer.observe(column.current!);
        observer.observe(box.current!);
        return () => observer.disconnect();
    }, []);
    useLayoutEffect(() => {
        if (follow.current) box.current!.scrollTop = box.current!.scrollHeight;
        else if (ready && !atEnd()) setBelow(true);
    }, [view.rev]);
    useLayoutEffect(() => { // earlier items came above: keep the place where the browser does not do it by itself
        const el = box.current!;
        if (!CSS.supports("overflow-anchor", "auto") && last.current.height) el.scrollTop += el.scrollHeight - last.current.height;
    }, [first]);
    const onScroll = () => {
        const el = box.current!;
        if (atEnd()) { follow.current = true; setBelow(false); }
        else if (el.scrollTop < last.current.top - 1 && el.scrollHeight >= last.current.height) follow.current = false;
        last.current = { top: el.scrollTop, height: el.scrollHeight };
        if (from > 0 && el.scrollTop < 1200) setFirst(Math.max(0, from - page));
    };
    return <div class="log-frame">
        <div class="log" ref={box} tabindex={0} role="log" aria-label="Messages" aria-live="off" onScroll={onScroll}
            onWheel={(e) => { if (e.deltaY < 0 && box.current!.scrollHeight > box.current!.clientHeight) follow.current = false; }}>
            <div class="column" ref={column}>
                {ready && from > 0 ? <button type="button" class="quiet earlier" onClick={() => setFirst(Math.max(0, from - page))}>{from} earlier</button> : null}
                {ready ? view.items.slice(from).map((item) => <ItemView key={item.key} item={item} rev={item.rev} view={view} />) : <Loading />}
                {ready ? <Activity view={view} /> : null}
                {ready && view.items.length === 0 && !view.running ? <p class="empty">This session has no messages yet.</p> : null}
            </div>
        </div>
        {below ? <button type="button" class="chip" onClick={toEnd}><Icon name="down" size={14} /> New below</button> : null}
        <p class="sr-only" aria-live="polite">{announce(view)}</p>
    </div>;
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
