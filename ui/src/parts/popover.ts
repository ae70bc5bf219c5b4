import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** A box that opens over the page: a press elsewhere or Esc closes it. */
export function usePopover() {
    const [open, setOpen] = useState(false);
    const box = useRef<HTMLDivElement>(null);
    useLayoutEffect(() => {
        if (!open) return;
        const away = (e: Event) => { if (!box.current?.contains(e.target as Node)) setOpen(false); };
        const esc = (e: KeyboardEvent) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); setOpen(false); box.current?.querySelector("button")?.focus(); } };
        document.addEventListener("pointerdown", away);
        document.addEventListener("keydown", esc, true);
        return () => { document.removeEventListener("pointerdown", away); document.removeEventListener("keydown", esc, true); };
    }, [open]);
    return { open, setOpen, box };
}
