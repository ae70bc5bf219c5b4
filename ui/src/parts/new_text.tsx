import { useDraft } from "../draft.ts";
import { attempt } from "../state.ts";

/** A new file of the user's under a name: a skill or an agent. */
export function NewText({ what, draft, create, taken }: { what: string; draft(name: string): string; create(name: string, text: string): Promise<void>; taken: string[] }) {
    const written = useDraft<{ name: string; text: string | null }>(`new:${what}`, { name: "", text: null });
    const { name, text } = written.now;
    const wrong = name && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? "Small letters, digits, and single hyphens between them." : taken.includes(name) ? `There is a ${what} ${name} here. Choose another name, or edit that one.` : "";
    const fine = name !== "" && !wrong;
    const shown = text ?? draft(name || "name");
    return <article class="tool-view" aria-label={`A new ${what}`}><h2>A new {what}</h2>
        <form class="stack" onSubmit={(e) => { e.preventDefault(); if (fine) void attempt(async () => { await create(name, shown); written.drop(); }); }}>
            <div class="field"><label for="new-name">Name</label><input id="new-name" value={name} spellcheck={false} autocomplete="off" placeholder="my-name" onInput={(e) => written.set({ name: e.currentTarget.value, text })} aria-describedby="new-says" />
                <p class={`small ${wrong ? "field-problem" : "muted"}`} id="new-says" role="status">{wrong || "Small letters, digits and hyphens."}</p></div>
            <div class="field"><label for="new-text">Text</label><textarea id="new-text" class="code-field" rows={14} value={shown} spellcheck={false} onInput={(e) => written.set({ name, text: e.currentTarget.value })} /></div>
            <div class="choices"><button type="submit" class="primary" disabled={!fine}>Create it</button>
                {written.dirty ? <button type="button" class="quiet" onClick={written.drop}>Take it back</button> : null}</div>
        </form></article>;
}
