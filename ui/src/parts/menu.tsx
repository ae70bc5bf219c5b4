import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "../icon.tsx";

export interface Entry { name: string; icon: IconName; act?(): void; href?: string; tone?: "stop" }

/** A button with a menu: above everything else, arrow keys within, Esc closes and nothing more. */
export function Menu({ label, icon, entries, tabindex, children }: { label: string; icon: IconName; entries(): Entry[]; tabindex?: number; children?(close: () => void): ComponentChildren }) {
    const [open, setOpen] = useState(false);
    const button = useRef<HTMLButtonElement>(null);
    const box = useRef<HTMLDivElement>(null);
    const close = () => { setOpen(false); button.current?.focus(); };
    const items = () => [...box.current!.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const place = () => {
        const at = button.current!.getBoundingClientRect(), el = box.current!;
        const { width, height } = el.getBoundingClientRect();
        el.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
        el.style.top = `${at.bottom + height + 12 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`;
    };
    const show = () => {
        box.current!.showPopover();
        place();
        (items()[0] ?? box.current!.querySelector<HTMLElement>("input:not(:disabled), button"))?.focus();
    };
    useLayoutEffect(() => {
        if (!open) return;
        show();
        const away = (e: Event) => { if (!box.current?.contains(e.target as Node) && !button.current!.contains(e.target as Node)) setOpen(false); };
        const esc = (e: KeyboardEvent) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); close(); } };
        document.addEventListener("pointerdown", away);
        document.addEventListener("scroll", place, true);
        document.addEventListener("keydown", esc, true);
        return () => { document.removeEventListener("keydown", esc, true); document.removeEventListener("pointerdown", away); document.removeEventListener("scroll", place, true); };
    }, [open]);
    const onKey = (e: KeyboardEvent) => {
        const list = items(), at = list.indexOf(document.activeElement as HTMLElement);
        if (e.key === "Tab" && list.length) setOpen(false);
        else if (e.key === "ArrowDown" && list.length) list[(at + 1) % list.length]!.focus();
        else if (e.key === "ArrowUp" && list.length) list[(at - 1 + list.length) % list.length]!.focus();
        else if (e.key === "Home" && list.length) list[0]!.focus();
        else if (e.key === "End" && list.length) list.at(-1)!.focus();
        else return e.stopPropagation();
        if (e.key !== "Tab") e.preventDefault();
        e.stopPropagation();
    };
    return <>
        <button type="button" class="icon-button" ref={button} title={label} aria-label={label} aria-haspopup={children ? "dialog" : "menu"} aria-expanded={open} tabIndex={tabindex}
            onClick={(e) => { e.preventDefault(); if (open) close(); else setOpen(true); }}><Icon name={icon} size={16} /></button>
        {open ? <div class="menu" popover="manual" role={children ? "dialog" : "menu"} aria-label={label} ref={box} onKeyDown={onKey}>
            {children ? children(close) : entries().map((item) => item.href
                ? <a key={item.name} role="menuitem" tabindex={-1} href={item.href} download="" onClick={close}><Icon name={item.icon} size={14} />{item.name}</a>
                : <button key={item.name} type="button" role="menuitem" tabindex={-1} class={item.tone ?? ""} onClick={() => { close(); item.act!(); }}><Icon name={item.icon} size={14} />{item.name}</button>)}
        </div> : null}
    </>;
}
