import { useRef, useState } from "preact/hooks";

/** A button that asks once more where it stands, for what cannot be taken back. "No" leaves the focus where it was. */
export function Sure({ label, question, yes, act, disabled }: { label: string; question: string; yes: string; act(): void; disabled?: boolean }) {
    const [asked, setAsked] = useState(false);
    const wanted = useRef(false); // the button that is drawn next gets the focus
    const turn = (on: boolean) => { wanted.current = true; setAsked(on); };
    const focus = (el: HTMLButtonElement | null) => { if (el && wanted.current) { wanted.current = false; el.focus(); } };
    if (!asked) return <button key="ask" type="button" class="quiet" ref={focus} disabled={disabled} onClick={() => turn(true)}>{label}</button>;
    return <span key="sure" class="sure" role="group" aria-label={question} onKeyDown={(e) => { if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); turn(false); } }}><span>{question}</span>
        <button type="button" class="danger" ref={focus} onClick={() => { setAsked(false); act(); }}>{yes}</button>
        <button type="button" class="quiet" onClick={() => turn(false)}>No</button></span>;
}
