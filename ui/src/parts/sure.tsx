import { useState } from "preact/hooks";

/** A button that asks once more where it stands, for what cannot be taken back. */
export function Sure({ label, question, yes, act, disabled }: { label: string; question: string; yes: string; act(): void; disabled?: boolean }) {
    const [asked, setAsked] = useState(false);
    if (!asked) return <button type="button" class="quiet" disabled={disabled} onClick={() => setAsked(true)}>{label}</button>;
    return <span class="sure" role="group" aria-label={question}><span>{question}</span>
        <button type="button" class="danger" ref={(el) => { if (el && !el.dataset.seen) { el.dataset.seen = "1"; el.focus(); } }} onClick={() => { setAsked(false); act(); }}
            onKeyDown={(e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); setAsked(false); } }}>{yes}</button>
        <button type="button" class="quiet" onClick={() => setAsked(false)}>No</button></span>;
}
