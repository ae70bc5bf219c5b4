import { useState } from "preact/hooks";
import { Icon } from "../icon.tsx";
import type { Choose } from "../fold.ts";
import type { Answer, Asked as AskedQuestion } from "../types.ts";
import { Inline } from "./markdown.tsx";
import { OwnWords } from "./own_words.tsx";

/** What the model asks: options to choose from and own words, always both. One question with single options is answered by a click. */
export function Asked({ questions, text, sent, armed, choose }: { questions: AskedQuestion[]; text: string; sent: boolean; armed: boolean; choose: Choose }) {
    const [answers, setAnswers] = useState<Answer[]>(questions.map(() => ({})));
    const set = (i: number, answer: Answer) => setAnswers(answers.map((a, j) => (j === i ? answer : a)));
    const only = questions.length === 1 && !questions[0]!.multi && (questions[0]!.options?.length ?? 0) > 0 ? questions[0]! : null;
    if (questions.length === 0) return <><p><Icon name="hand" size={14} label="Waiting for you" /> <span><Inline text={text} /></span></p><Own sent={sent} armed={armed} choose={choose} /></>;
    if (only) {
        return <>
            <Head question={only} />
            <ul class="options">{only.options!.map((o, i) => <li key={o.label}><button type="button" disabled={sent} aria-disabled={!armed} aria-keyshortcuts={String(i + 1)}
                onClick={() => { if (armed) choose("answer", "", [{ selected: [o.label] }]); }}><span>{o.label} <kbd aria-hidden="true">{i + 1}</kbd></span>
                {o.description ? <span class="muted small">{o.description}</span> : null}</button></li>)}</ul>
            <Own sent={sent} armed={armed} choose={choose} />
        </>;
    }
    const complete = answers.every((a) => (a.selected?.length ?? 0) > 0 || a.text?.trim());
    return <form class="asked" onSubmit={(e) => { e.preventDefault(); if (complete) choose("answer", "", answers); }}>
        {questions.map((q, i) => <Fields key={i} number={i} question={q} answer={answers[i]!} set={(a) => set(i, a)} />)}
        <div class="choices">
            <button type="submit" class="primary" disabled={!complete || sent}>Answer</button>
            <button type="button" disabled={sent} aria-disabled={!armed} onClick={() => { if (armed) choose("no"); }}>Decline</button>
        </div>
    </form>;
}

function Head({ question }: { question: AskedQuestion }) {
    return <p><Icon name="hand" size={14} label="Waiting for you" /> <span>{question.header ? <strong class="ask-head">{question.header}</strong> : null}<Inline text={question.question} /></span></p>;
}

function Own({ sent, armed, choose }: { sent: boolean; armed: boolean; choose: Choose }) {
    const [open, setOpen] = useState(false);
    if (open) return <OwnWords label="Your answer" placeholder="Your answer" sent={sent} send={(text) => choose("answer", text)} leave={() => setOpen(false)} />;
    return <div class="choices"><button type="button" class="quiet" disabled={sent} onClick={() => setOpen(true)}>In my own words…</button>
        <button type="button" class="quiet" disabled={sent} aria-disabled={!armed} onClick={() => { if (armed) choose("no"); }}>Decline</button></div>;
}

function Fields({ number, question, answer, set }: { number: number; question: AskedQuestion; answer: Answer; set(a: Answer): void }) {
    const chosen = answer.selected ?? [];
    const pick = (label: string, on: boolean) => set({ ...answer, selected: question.multi ? (on ? [...chosen, label] : chosen.filter((l) => l !== label)) : [label] });
    return <fieldset>
        <legend>{question.header ? <strong class="ask-head">{question.header}</strong> : null}<Inline text={question.question} /></legend>
        {question.options?.map((o) => <label key={o.label} class="option"><input type={question.multi ? "checkbox" : "radio"} name={`ask-${number}`} checked={chosen.includes(o.label)}
            onChange={(e) => pick(o.label, e.currentTarget.checked)} /><span>{o.label}{o.description ? <span class="muted small">{o.description}</span> : null}</span></label>)}
        <input class="own" value={answer.text ?? ""} placeholder="In my own words" aria-label={`Own words for: ${question.question}`} onInput={(e) => set({ ...answer, text: e.currentTarget.value })} />
    </fieldset>;
}
