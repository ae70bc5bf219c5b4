import { Component } from "preact";
import { Icon } from "../icon.tsx";
import type { AssistantItem, Call, Item, View } from "../fold.ts";
import { bytes, count, exact, millis, plural } from "../words.ts";
import { fork } from "../sessions.ts";
import { CallCard } from "./card.tsx";
import { copyText } from "./copy.tsx";
import { Compact, Line, Local, Versions } from "./lines.tsx";
import { copy, Inline, Markdown } from "./markdown.tsx";
import { UserMessage } from "./user_message.tsx";

interface Props { item: Item; rev: number; view: View; old?: boolean } // old: of an earlier version

/** Redraws only when its own item changed. */
export class ItemView extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
        return next.rev !== this.props.rev || next.item !== this.props.item;
    }

    override render({ item, view, old }: Props) {
        if (item.kind === "user") return <UserMessage item={item} view={view} old={old} />;
        if (item.kind === "line") return <Line item={item} />;
        if (item.kind === "compact") return <Compact item={item} />;
        if (item.kind === "local") return <Local item={item} />;
        if (item.kind === "versions") return <Versions item={item} view={view} />;
        if (item.kind === "notice") {
            return <div class={`item notice ${item.tone}`} role={item.tone === "stop" ? "alert" : "note"}>
                <Icon name="triangle" label={item.tone === "stop" ? "Error" : "Notice"} />
                <div><p><Inline text={item.text} /></p>{item.hint ? <p class="muted"><Inline text={item.hint} /></p> : null}</div>
            </div>;
        }
        if (item.kind === "note") {
            return <article class="item told" aria-label="A word meanwhile"><Markdown text={item.text} live={false} />
                {item.attachments.length ? <ul class="attachments">{item.attachments.map((a) => <li key={a.path}><Icon name="file" size={14} /> <span class="path">{a.path}</span>
                    {a.size === undefined ? null : <span class="muted"> {bytes(a.size)}</span>}</li>)}</ul> : null}</article>;
        }
        if (item.kind === "end") return <End item={item} view={view} />;
        return <AssistantView item={item} view={view} old={old} />;
    }
}

function AssistantView({ item, view, old }: { item: AssistantItem; view: View; old?: boolean }) {
    const calls = item.calls.filter(Boolean);
    if (!item.text && !item.reasoning && calls.length === 0) return null;
    return <article class="item assistant" aria-label="Assistant" aria-busy={item.finish === null}>
        {item.reasoning ? <details class="reasoning"><summary>Reasoning</summary><Markdown text={item.reasoning} live={item.finish === null} /></details> : null}
        {item.text ? <Markdown text={item.text} live={item.finish === null} /> : null}
        {calls.length > 1 ? <CallGroup calls={calls} /> : calls.map((call) => <CallCard key={call.id} call={call} />)}
        {item.finish === "length" ? <p class="muted small">The reply was cut at the model's output limit. Send “go on” to have the rest.</p> : null}
        {item.finish !== null && item.text ? <div class="message-tools">
            <button type="button" class="icon-button" title="Copy" aria-label="Copy this reply" onClick={() => copyText(item.text)}><Icon name="copy" size={14} /></button>
            {item.seq === undefined || old ? null : <button type="button" class="icon-button" title="Fork: a new session up to here" aria-label="Fork at this reply" onClick={() => { void fork(view.id, item.until ?? item.seq); }}><Icon name="fork" size={14} /></button>}
        </div> : null}
    </article>;
}

/** Calls of one reply in one frame; bars show how they ran side by side. */
function CallGroup({ calls }: { calls: Call[] }) {
    const starts = calls.map((c) => c.startedAt).filter((t): t is number => t !== undefined);
    const over = calls.filter((c) => c.startedAt !== undefined && c.endedAt !== undefined);
    const from = Math.min(...starts);
    const span = Math.max(1, Math.max(...over.map((c) => c.endedAt!)) - from);
    const closed = over.length > 1 && starts.length === over.length;
    return <div class="group" role="group" aria-label={plural(calls.length, "call")}>
        <p class="group-head">{plural(calls.length, "call")}{closed ? <span class="muted"> · side by side in {millis(span)}</span> : null}</p>
        {calls.map((call) => <CallCard key={call.id} call={call}
            overlap={closed && call.startedAt !== undefined && call.endedAt !== undefined
                ? { left: (call.startedAt - from) / span, width: (call.endedAt - call.startedAt) / span } : undefined} />)}
    </div>;
}

const ends: Record<string, string> = { done: "Done", stopped: "Stopped", interrupted: "Interrupted", error: "Ended by an error", max_turns: "Out of turns", repeated_calls: "Stopped: the same call again and again",
    tokens: "Out of tokens (budget)", money: "Out of money (budget)", calls: "Out of calls (budget)", time: "Out of time (budget)", fuel: "Out of fuel (budget)", context: "The context is full" };

/** What a run was and what it cost. */
function End({ item, view }: { item: Extract<Item, { kind: "end" }>; view: View }) {
    const parts = [ends[item.reason] ?? item.reason];
    if (item.turns > 0) parts.push(plural(item.turns, "turn"));
    if (item.ms > 0) parts.push(millis(item.ms));
    if (item.input + item.output > 0 && !item.partial) parts.push(`${count(item.input)} tokens in, ${count(item.output)} out`);
    const answer = () => {
        const texts = view.items.filter((i): i is AssistantItem => i.kind === "assistant" && i.run === item.run && i.text !== "");
        return texts[texts.length - 1]?.text ?? "";
    };
    return <p class="item end" title={exact(item.t)}><span>{parts.join(" · ")}</span>
        {item.reason === "done" ? <button type="button" class="quiet" onClick={(e) => copy(e.currentTarget, answer())}>Copy answer</button> : null}</p>;
}
