import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api.ts";
import { runtimeApi } from "../api_runtime.ts";
import { draftsOf } from "../draft.ts";
import { Icon } from "../icon.tsx";
import { loadPage, runtime } from "../runtime.ts";
import { app, attempt, useApp } from "../state.ts";
import type { Memory, PackRow } from "../types_runtime.ts";
import { count, plural } from "../words.ts";
import { PackView } from "./pack_view.tsx";
import { Place, PlaceRow } from "./place.tsx";
import { TextEditor } from "./text_editor.tsx";

/** One that was removed, but what was written for it is not. */
const lost = (name: string): PackRow => ({ name, description: "", tokens: 0, items: 0, gone: true, problem: "It was removed. What you wrote is kept here: saving it makes the pack again." });

/** What every session of the workspace is told, and what can be attached to some. Item: none and "memory" are the memory, "+" a new pack, "pack:NAME" a pack. */
export function MemoryPage() {
    const { item } = useApp(() => [app.item, runtime.packs, draftsOf("pack").join()]);
    useEffect(() => loadPage("memory"), [item]);
    const there = runtime.packs, packs = there ? [...there, ...draftsOf("pack").filter((name) => !there.some((p) => p.name === name)).map(lost)] : [];
    const name = item?.startsWith("pack:") ? item.slice(5) : null;
    const chosen = packs.find((p) => p.name === name);
    const list = <>
        <section aria-label="Memory"><h2>In every session</h2><ul><PlaceRow href="#/memory/memory" icon={<Icon name="notebook" size={14} />} name="Memory" says="what is remembered in this workspace" current={item === null || item === "memory"} /></ul></section>
        <section aria-label="Packs"><h2>Context packs</h2>
            {there && packs.length === 0 ? <p class="empty">There is none yet.</p> : null}
            <ul>{packs.map((p) => <PlaceRow key={p.name} href={`#/memory/${encodeURIComponent(`pack:${p.name}`)}`} current={p.name === name} name={p.name} tone={p.problem ? "stop" : ""}
                icon={<Icon name={p.problem ? "triangle" : "box"} size={14} label={p.problem ? "broken" : undefined} />} says={p.gone ? "removed, your text is kept" : p.problem ? "something in it is missing" : p.description || `${plural(p.items, "item")}, ${count(p.tokens)} tokens`} />)}</ul>
            <a class="tool-row" href="#/memory/+" aria-current={item === "+" ? "true" : undefined}><Icon name="plus" size={14} /><span>New pack…</span></a></section>
        <p class="muted small new-tool">A pack is a named choice of texts, files, messages and skills. It is attached to sessions and executors that need it.</p>
    </>;
    return <Place page="memory" title="Memory" list={list} opened={item !== null}>
        {item === "+" ? <PackView key="+" name={null} row={null} taken={packs.map((p) => p.name)} />
            : name === null ? <MemoryView />
            : chosen || runtime.packs === null ? <PackView key={name} name={name} row={chosen ?? null} taken={[]} />
            : <div class="tool-empty"><h2>There is no pack {name} now</h2><p class="muted">It was removed.</p></div>}
    </Place>;
}

function MemoryView() {
    const [memory, setMemory] = useState<Memory | null>(null);
    useEffect(() => { void attempt(async () => setMemory(await runtimeApi.memory())); }, []);
    if (!memory) return null;
    const save = (text: string) => attempt(async () => {
        try {
            setMemory(await runtimeApi.saveMemory(text, memory.digest));
            return true as const;
        } catch (e) {
            if (!(e instanceof ApiError) || e.status !== 409) throw e;
            setMemory(await runtimeApi.memory()); // a run remembered something: the editor shows it beside what was written
            return undefined;
        }
    });
    return <article class="tool-view" aria-label="Memory"><h2>Memory</h2>
        <p class="muted">Every session of this workspace begins with it. You can change it, and so can a model that is allowed to: read it now and then. {memory.path ? <>It is the file <code class="path">{memory.path}</code>.</> : null}</p>
        <TextEditor label="Memory" keep="memory:memory" text={memory.text} rows={16} save={save} limit={memory.max_bytes} /></article>;
}
