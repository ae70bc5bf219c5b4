import { useState } from "preact/hooks";
import type { Call } from "../fold.ts";
import { GrantForm } from "./grant_form.tsx";

/** What the host refused while the call ran, the line that would allow it, and the grant itself. */
export function DeniedHelp({ call }: { call: Call }) {
    const [granted, setGranted] = useState(false);
    const { denied } = call;
    if (!denied) return null;
    return <div class="denied">
        {denied.host ? granted ? <p role="status">Allowed now. Ask the assistant to try it again.</p>
            : <><p>Let <code>{call.tool}</code> reach <code>{denied.host}</code>:</p><GrantForm tool={call.tool} host={denied.host} done={() => setGranted(true)} /></> : null}
        {denied.command ? <p><code>{denied.command}</code> was not started: a rule of yours is against it. The rules are under Permissions.</p> : null}
        {denied.line ? <p class="muted small">Or, for good, in settings.json: <code class="path">{denied.line}</code></p> : null}
    </div>;
}
