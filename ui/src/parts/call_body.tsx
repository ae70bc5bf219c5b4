import { useState } from "preact/hooks";
import { contentText, diffOf, type Call } from "../fold.ts";
import { inspect } from "../state.ts";
import type { Json } from "../types.ts";
import { Diff } from "./diff.tsx";
import { limitSetting, LimitsStrip } from "./limits.tsx";
import { Inline } from "./markdown.tsx";

/** What a call was given, what it says, what it changed, and what it may use. */
export function CallBody({ call }: { call: Call }) {
    const text = contentText(call.content);
    const diff = diffOf(call);
    const images = Array.isArray(call.content) ? call.content.filter((b) => b.type === "image") : [];
    return <>
        {diff ? null : <><p class="label">Input</p><Input input={call.input} /></>}
        {call.state === "running" && call.output ? <><p class="label">Output so far</p><Long text={call.output} tail /></> : null}
        {diff ? <><p class="label">Change</p><Diff text={diff} /></> : null}
        {call.content !== undefined ? <><p class="label">Result</p>{text ? <Long text={text} /> : images.length ? null : <p class="muted small">Nothing.</p>}</> : null}
        {images.map((b, i) => b.type === "image" && /^image\/[a-z.+-]+$/.test(b.mime)
            ? <img key={i} class="result-image" alt={`Image ${i + 1} of the result`} src={`data:${b.mime};base64,${b.data}`} /> : null)}
        {diff ? <details class="fold"><summary>Input</summary><Input input={call.input} /></details> : null}
        <LimitsStrip call={call} />
        {call.limit ? <p class="muted small"><Inline text={limitSetting(call)} /></p> : null}
        {call.receipt ? <button type="button" class="small-button" onClick={() => inspect(call.id)}>Receipt</button> : null}
    </>;
}

/** Members one under the other; text as it is, not as JSON writes it. */
export function Input({ input }: { input: Json }) {
    if (!input || typeof input !== "object" || Array.isArray(input)) return <pre class="plain" tabindex={0}>{typeof input === "string" ? input : JSON.stringify(input)}</pre>;
    const members = Object.entries(input);
    if (members.length === 0) return <p class="muted small">Nothing.</p>;
    return <dl class="input">{members.map(([name, value]) => {
        const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
        return <div key={name}><dt>{name}</dt><dd>{text.includes("\n") || text.length > 200 ? <Long text={text} /> : <code>{text}</code>}</dd></div>;
    })}</dl>;
}

const shown = 4000;
/** Head and tail, all of it on demand. */
function Long({ text, tail }: { text: string; tail?: boolean }) {
    const [all, setAll] = useState(false);
    if (all || text.length <= shown) return <pre class="plain" tabindex={0} ref={(el) => { if (tail && el) el.scrollTop = el.scrollHeight; }}>{text}</pre>;
    const cut = tail ? `…${text.slice(-shown)}` : `${text.slice(0, shown * 0.75)}\n\n… ${text.length - shown} more characters …\n\n${text.slice(-shown * 0.25)}`;
    return <><pre class="plain" tabindex={0} ref={(el) => { if (tail && el) el.scrollTop = el.scrollHeight; }}>{cut}</pre><button type="button" class="quiet" onClick={() => setAll(true)}>Show all</button></>;
}
