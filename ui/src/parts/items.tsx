import { Component } from "preact";
import { Icon } from "../icon.tsx";
import type { AssistantItem, Call, Item } from "../fold.ts";
import { exact, millis } from "../words.ts";
import { CallCard } from "./card.tsx";
import { Markdown } from "./markdown.tsx";

interface Props { item: Item; rev: number; running: boolean }

/** Redraws only when its own item changed. */
export class ItemView extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
        return next.rev !== this.props.rev || next.item !== this.props.item || next.running !== this.props.running;
    }

    override render({ item }: Props) {
        if (item.kind === "user") return <article class="item user" aria-label="You"><p title={exact(item.t)}>{item.text}</p></article>;
        if (item.kind === "notice") {
            return <div class={`item notice ${item.tone}`} role={item.tone === "stop" ? "alert" : "note"}>
                <Icon name={item.tone === "info" ? "info" : "triangle"} />
                <div><p>{item.text}</p>{item.hint ? <p class="muted">{item.hint}</p> : null}</div>
            </div>;
        }
        return <AssistantView item={item} />;
    }
}

function AssistantView({ item }: { item: AssistantItem }) {
    const calls = item.calls.filter(Boolean);
    if (!item.text && !item.reasoning && calls.length === 0) return null;
    return <article class="item assistant" aria-label="Assistant" aria-busy={item.finish === null}>
        {item.reasoning ? <details class="reasoning"><summary>Reasoning</summary><Markdown text={item.reasoning} /></details> : null}
        {item.text ? <Markdown text={item.text} /> : null}
        {calls.length > 1 ? <CallGroup calls={calls} /> : calls.map((call) => <CallCard key={call.id} call={call} />)}
        {item.finish === "length" ? <p class="muted">The reply was cut at the model's output limit.</p> : null}
    </article>;
}

/** Calls of one reply; bars show how they ran side by side. */
function CallGroup({ calls }: { calls: Call[] }) {
    const starts = calls.map((c) => c.startedAt).filter((t): t is number => t !== undefined);
    const ends = calls.map((c) => c.endedAt).filter((t): t is number => t !== undefined);
    const from = Math.min(...starts);
    const span = ends.length === calls.length ? Math.max(...ends) - from : undefined;
    const sum = calls.reduce((n, c) => n + (c.ms ?? 0), 0);
    return <div class="group" role="group" aria-label={`${calls.length} calls`}>
        <p class="group-head">{calls.length} calls{span !== undefined && starts.length === calls.length
            ? <span class="muted"> · {millis(span)} together, {millis(sum)} one after another</span> : null}</p>
        {calls.map((call) => <CallCard key={call.id} call={call}
            overlap={span && call.startedAt !== undefined && call.endedAt !== undefined
                ? { left: (call.startedAt - from) / span, width: Math.max(0.02, (call.endedAt - call.startedAt) / span) } : undefined} />)}
    </div>;
}
