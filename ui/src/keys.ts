// Esc stops (twice while a write is under way) or says no to a question, digits answer it, Ctrl+K begins a session, Ctrl+Z takes back what the foot of the page offers to.
import { useEffect } from "preact/hooks";
import { answer, app, change, currentView, focusComposer, keyedQuestion, open, showList, stop, toast } from "./state.ts";
import type { Question, View } from "./fold.ts";

export function useKeys(): void {
    useEffect(() => {
        let warned = 0;
        const onKey = (e: KeyboardEvent) => {
            if (e.defaultPrevented || e.isComposing) return;
            if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
                e.preventDefault();
                open(null);
                return;
            }
            if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "z" && app.toast?.act && !inField(e.target, true)) {
                e.preventDefault();
                app.toast.act();
                return;
            }
            if (e.ctrlKey || e.metaKey || e.altKey) return;
            const keyed = app.page === "chat" ? keyedQuestion() : null, armed = keyed !== null && app.armed.has(keyed.question.id);
            if (/^[1-9]$/.test(e.key) && keyed && armed && !inField(e.target)) {
                if (answerByDigit(keyed, Number(e.key) - 1)) e.preventDefault();
            } else if (/^[^\s\d]$/u.test(e.key) && app.page === "chat" && (e.target as HTMLElement).matches("body, .log, .question")) {
                focusComposer(); // the rest of a sentence, from which a question or the end of a run took the focus
            } else if (e.key === "Escape") {
                e.preventDefault();
                if (app.drawer) showList(false);
                else if (app.page !== "chat") return; // what runs behind another page is not stopped from there
                else if (app.panel !== "none" && matchMedia("(max-width: 1180px)").matches) change(() => { app.panel = "none"; });
                else if (keyed && (keyed.session === app.current || (e.target as HTMLElement).closest(".question"))) { // an executor's only where the focus is: else Esc stops the run
                    if (armed) void answer(keyed.session, keyed.question.id, "no");
                }
                else if (currentView()?.running) {
                    if (writes(currentView()!) && Date.now() - warned > 3000) {
                        warned = Date.now();
                        toast({ text: "A change is under way. Press Esc again to stop it." }, 3000);
                    } else {
                        toast(null);
                        void stop();
                    }
                } else if (app.panel !== "none") change(() => { app.panel = "none"; });
            }
        };
        window.addEventListener("keydown", onKey);
        return () => window.removeEventListener("keydown", onKey);
    }, []);
}

/** The n-th choice; of a question of the model's with one list, its n-th option. */
function answerByDigit({ session, question }: { session: string; question: Question }, n: number): boolean {
    const [first, ...more] = question.questions;
    if (question.kind === "ask") {
        const option = first && !first.multi && more.length === 0 ? first.options?.[n] : undefined;
        if (option) void answer(session, question.id, "answer", "", [{ selected: [option.label] }]);
        return option !== undefined;
    }
    const choice = question.choices[n];
    if (choice) void answer(session, question.id, choice);
    return choice !== undefined;
}

/** Where a digit is text; `filled`: only where something is written, that could be undone itself. */
function inField(target: EventTarget | null, filled = false): boolean {
    return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !(filled && (target as HTMLInputElement).value === "");
}

function writes(view: View): boolean {
    return view.items.some((i) => i.kind === "assistant" && i.run === view.run
        && i.calls.some((c) => c?.state === "running" && c.level !== undefined && c.level !== "read_only" && c.level !== "none"));
}
