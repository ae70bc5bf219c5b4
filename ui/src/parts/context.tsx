import type { Usage } from "../fold.ts";
import { count, millis } from "../words.ts";

export function ContextNumbers({ usage }: { usage: Usage }) {
    return <dl>
        <dt>Last request</dt><dd>{count(usage.input)} tokens</dd>
        <dt>Last reply</dt><dd>{count(usage.output)} tokens</dd>
        {usage.window > 0 ? <><dt>Window</dt><dd>{count(usage.window)} tokens</dd></> : null}
        {usage.cached > 0 ? <><dt>From cache</dt><dd>{count(usage.cached)} tokens</dd></> : null}
        {usage.estimated > 0 ? <><dt>Our estimate</dt><dd>{count(usage.estimated)} tokens</dd></> : null}
        <dt>First token after</dt><dd>{millis(usage.firstTokenMs)}</dd>
        <dt>Session, in / out</dt><dd>{count(usage.totalIn)} / {count(usage.totalOut)}</dd>
    </dl>;
}
