import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "../icon.tsx";
import type { View } from "../fold.ts";
import { app, change, setMode, setModel, useApp } from "../state.ts";
import { count, millis } from "../words.ts";

const modes: [mode: string, name: string, says: string][] = [
    ["plan", "Plan", "reads only; nothing is changed"],
    ["default", "Ask first", "reads freely; asks before it changes or runs anything"],
    ["accept-edits", "Accept edits", "changes files without asking; asks before it runs anything"],
    ["auto", "Auto", "runs what stays in the sandbox; asks for anything that leaves it"],
];

/** One quiet line: model, mode, context, walls. */
export function StatusLine({ view }: { view: View | null }) {
    useApp();
    const model = view?.model || app.models?.default || "";
    const mode = view?.mode || "default";
    const row = app.models?.models.find((m) => m.id === model);
    const disabled = view?.running ?? false;
    return <div class="status">
        <label class="pick"><span class="sr-only">Model</span>
            <select value={model} disabled={disabled} onChange={(e) => { void setModel(e.currentTarget.value); }}>
                {model && !row ? <option value={model}>{model}</option> : null}
                {app.models?.models.map((m) => <option key={m.id} value={m.id} disabled={!m.available}>{m.name || m.id}{m.local ? " · local" : ""}{m.available ? "" : " · not ready"}</option>)}
            </select></label>
        <label class="pick" title={modes.find((m) => m[0] === mode)?.[2]}><span class="sr-only">Mode</span>
            <select value={mode} disabled={disabled} onChange={(e) => { void setMode(e.currentTarget.value); }}>
                {mode === "bypass" ? <option value="bypass">Bypass: asks for almost nothing</option> : null}
                {modes.map(([id, name]) => <option key={id} value={id}>{name}</option>)}
            </select></label>
        <span class="spring" />
        <Context view={view} />
        <Walls />
    </div>;
}

function usePopover() {
    const [open, setOpen] = useState(false);
    const box = useRef<HTMLDivElement>(null);
    useEffect(() => {
        if (!open) return;
        const away = (e: Event) => { if (!box.current?.contains(e.target as Node)) setOpen(false); };
        const esc = (e: KeyboardEvent) => { if (e.key === "Escape") { e.stopPropagation(); setOpen(false); } };
        document.addEventListener("pointerdown", away);
        document.addEventListener("keydown", esc, true);
        return () => { document.removeEventListener("pointerdown", away); document.removeEventListener("keydown", esc, true); };
    }, [open]);
    return { open, setOpen, box };
}

function Context({ view }: { view: View | null }) {
    const { open, setOpen, box } = usePopover();
    const usage = view?.usage;
    if (!usage) return null;
    const filled = Math.max(0, usage.input) + Math.max(0, usage.output);
    const share = usage.window > 0 ? Math.min(1, filled / usage.window) : 0;
    const tone = share > 0.9 ? "stop" : share > 0.75 ? "warn" : "";
    return <div class="popover-box" ref={box}>
        <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}
            aria-label={usage.window > 0 ? `Context ${Math.round(share * 100)} percent full` : `Context ${filled} tokens`}>
            <span class={`ring ${tone}`} aria-hidden="true" ref={(el) => el?.style.setProperty("--share", String(share))} />
            {usage.window > 0 ? `${Math.round(share * 100)} %` : `${count(filled)} tokens`}</button>
        {open ? <div class="popover" role="dialog" aria-label="Context">
            <h3>Context window</h3>
            <dl>
                <dt>Last request</dt><dd>{count(usage.input)} tokens</dd>
                <dt>Last reply</dt><dd>{count(usage.output)} tokens</dd>
                {usage.window > 0 ? <><dt>Window</dt><dd>{count(usage.window)} tokens</dd></> : null}
                {usage.cached > 0 ? <><dt>From cache</dt><dd>{count(usage.cached)} tokens</dd></> : null}
                <dt>Our estimate</dt><dd>{count(usage.estimated)} tokens</dd>
                <dt>First token after</dt><dd>{millis(usage.firstTokenMs)}</dd>
                <dt>Shown session, in / out</dt><dd>{count(usage.totalIn)} / {count(usage.totalOut)}</dd>
            </dl>
        </div> : null}
    </div>;
}

function Walls() {
    const { open, setOpen, box } = usePopover();
    const walls = app.system?.walls;
    if (!walls) return null;
    const icon: IconName = walls.summary === "up" ? "shield" : walls.summary === "partly" ? "shieldPart" : "shieldDown";
    const says = walls.summary === "up" ? "Both walls are up" : walls.summary === "partly" ? "The second wall is partly up" : "The second wall is down";
    return <div class="popover-box" ref={box}>
        <button type="button" class={`quiet walls ${walls.summary}`} aria-expanded={open} aria-label={says} title={says} onClick={() => setOpen(!open)}>
            <Icon name={icon} />{walls.summary === "up" ? "Walls up" : walls.summary === "partly" ? "Walls partly up" : "Second wall down"}</button>
        {open ? <div class="popover" role="dialog" aria-label="Walls">
            <h3>{says}</h3>
            <dl>
                <dt>WebAssembly</dt><dd>up</dd>
                <dt>Landlock</dt><dd>{walls.landlock ? `up, ABI ${walls.landlock_abi}` : "down"}</dd>
                <dt>seccomp</dt><dd>{walls.seccomp ? "up" : "down"}</dd>
                <dt>Tools see</dt><dd class="path">{app.system!.root}</dd>
            </dl>
            {walls.why ? <p class="muted">{walls.why}</p> : null}
            <button type="button" class="quiet" onClick={() => { setOpen(false); change(() => { app.panel = "settings"; }); }}>Settings</button>
        </div> : null}
    </div>;
}
