import { useLayoutEffect, useRef } from "preact/hooks";

/** Enter and leaving the field keep the title, Esc does not; `done` gets the new title or null. */
export function TitleField({ title, done }: { title: string; done: (text: string | null) => void }) {
    const input = useRef<HTMLInputElement>(null);
    const over = useRef(false);
    useLayoutEffect(() => {
        input.current!.focus();
        input.current!.select();
    }, []);
    const end = (keep: boolean) => {
        if (over.current) return; // Enter removes the field, which leaves it as well
        over.current = true;
        const text = input.current!.value.trim();
        done(keep && text && text !== title ? text : null);
    };
    return <input class="title-field" ref={input} defaultValue={title} aria-label="Title" maxLength={200} onBlur={() => end(true)}
        onKeyDown={(e) => {
            if (e.key === "Enter" && !e.isComposing) end(true);
            if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); end(false); }
        }} />;
}
