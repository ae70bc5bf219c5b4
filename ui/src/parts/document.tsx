import { useState } from "preact/hooks";
import { Markdown } from "./markdown.tsx";

/** A Markdown file of a stranger's: its front matter as it stands, its body drawn; or all of it as it is on the disk. */
export function Document({ text }: { text: string }) {
    const [raw, setRaw] = useState(false);
    const [, front, body] = /^---\r?\n([\s\S]*?)\r?\n---\r?\n?([\s\S]*)$/.exec(text) ?? [null, "", text];
    return <div class="document">
        <div class="document-head"><button type="button" class="quiet" aria-pressed={raw} onClick={() => setRaw(!raw)}>{raw ? "As it is shown" : "As it is written"}</button></div>
        {raw ? <pre class="plain" tabindex={0}>{text}</pre> : <>{front ? <pre class="plain front" tabindex={0} aria-label="Front matter">{front}</pre> : null}<Markdown text={body ?? ""} /></>}
    </div>;
}
