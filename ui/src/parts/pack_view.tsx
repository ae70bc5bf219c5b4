import { useEffect, useState } from "preact/hooks";
import { runtimeApi } from "../api_runtime.ts";
import { useDraft } from "../draft.ts";
import { Icon, type IconName } from "../icon.tsx";
import { loadPacks, loadSkills, runtime } from "../runtime.ts";
import { app, attempt, currentView, useApp } from "../state.ts";
import type { Item } from "../fold.ts";
import type { Pack, PackItem, PackRow } from "../types_runtime.ts";
import { count } from "../words.ts";
import { Sure } from "./sure.tsx";

const kinds: Record<PackItem["kind"], [name: string, icon: IconName]> = { text: ["Text", "pencil"], file: ["File", "file"], message: ["Message", "message"], skill: ["Skill", "book"] };
const empty: Record<PackItem["kind"], () => PackItem> = { text: () => ({ kind: "text", text: "" }), file: () => ({ kind: "file", path: "" }), message: () => ({ kind: "message", session: app.current ?? "", seq: 0 }), skill: () => ({ kind: "skill", name: "" }) };
const complete = (i: PackItem) => (i.kind === "text" ? i.text.trim() !== "" : i.kind === "file" ? i.path.trim() !== "" : i.kind === "skill" ? i.name !== "" : i.session !== "" && i.seq > 0);

type Written = Pack & { name: string };

/** A context pack, to read and to change. */
export function PackView({ name, row, taken }: { name: string | null; row: PackRow | null; taken: string[] }) {
    const [saved, setSaved] = useState<Written | null>(() => (name === null ? { name: "", description: "", items: [empty.text()] } : null));
    const draft = useDraft<Written | null>(name === null ? "new:pack" : `pack:${name}`, saved), pack = draft.now, { dirty, set: setPack } = draft;
    useEffect(() => { if (name !== null && !row?.gone) void attempt(async () => { const p = await runtimeApi.pack(name); setSaved({ name, description: p.description, items: p.items }); }); }, [name, row?.gone]);
    useEffect(() => { if (!runtime.skills) void attempt(loadSkills); }, []);
    if (!pack) return null;
    const newName = pack.name;
    const wrong = name !== null || newName === "" ? "" : !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(newName) ? "Small letters, digits, and single hyphens between them." : taken.includes(newName) ? `There is a pack ${newName} already.` : "";
    const fine = (dirty || name === null) && !wrong && (name ?? newName) !== "" && pack.items.length > 0 && pack.items.every(complete);
    const set = (i: number, item: PackItem) => setPack({ ...pack, items: pack.items.map((old, n) => (n === i ? item : old)) });
    const move = (i: number, by: number) => { const items = [...pack.items]; items.splice(i + by, 0, ...items.splice(i, 1)); setPack({ ...pack, items }); };
    const save = () => attempt(async () => {
        await runtimeApi.savePack(name ?? newName, pack);
        if (name !== null) setSaved(pack);
        await loadPacks();
        draft.stored(pack);
        if (name === null) location.hash = `#/memory/${encodeURIComponent(`pack:${newName}`)}`;
    });
    const remove = () => attempt(async () => { await runtimeApi.removePack(name!); draft.drop(); location.hash = "#/memory"; await loadPacks(); });
    return <article class="tool-view" aria-label={name ?? "A new pack"}>
        <h2>{name ?? "A new pack"}{row ? <span class="server-state">{count(row.tokens)} tokens</span> : null}</h2>
        {row?.problem ? <p class="notice stop" role="alert"><Icon name="triangle" size={14} label="Problem" /> <span>{row.problem}</span></p> : null}
        <form class="stack" onSubmit={(e) => { e.preventDefault(); if (fine) void save(); }}>
            {name === null ? <div class="field"><label for="pack-name">Name</label><input id="pack-name" value={newName} spellcheck={false} autocomplete="off" placeholder="house-rules" onInput={(e) => setPack({ ...pack, name: e.currentTarget.value })} />
                {wrong ? <p class="field-problem" role="alert">{wrong}</p> : null}</div> : null}
            <div class="field"><label for="pack-says">What it is for</label><input id="pack-says" value={pack.description} onInput={(e) => setPack({ ...pack, description: e.currentTarget.value })} /></div>
            <ul class="pack-items" aria-label="Items">{pack.items.map((item, i) => <li key={i}>
                <div class="pack-item-head"><Icon name={kinds[item.kind][1]} size={14} /><span>{kinds[item.kind][0]}</span><span class="spring" />
                    <button type="button" class="quiet" disabled={i === 0} aria-label={`Up: move item ${i + 1}`} onClick={() => move(i, -1)}>Up</button>
                    <button type="button" class="quiet" aria-label={`Take out item ${i + 1}`} onClick={() => setPack({ ...pack, items: pack.items.filter((_, n) => n !== i) })}>Take out</button></div>
                <ItemField item={item} set={(next) => set(i, next)} n={i + 1} />
            </li>)}</ul>
            <div class="choices" role="group" aria-label="Add an item">{(Object.keys(kinds) as PackItem["kind"][]).map((k) => <button key={k} type="button" class="small-button flat" onClick={() => setPack({ ...pack, items: [...pack.items, empty[k]()] })}>Add {k === "file" || k === "skill" || k === "message" ? `a ${k}` : k}</button>)}</div>
            <div class="choices"><button type="submit" class="primary" disabled={!fine}>{name === null ? "Create it" : "Save"}</button>
                {dirty ? <button type="button" class="quiet" onClick={draft.drop}>{name === null ? "Take it back" : "Take the changes back"}</button> : null}
                {name !== null && !row?.gone ? <Sure label="Delete" question={`Delete ${name}?`} yes="Delete it" act={() => void remove()} /> : null}<span class="muted small" role="status">{dirty && name !== null ? "not saved" : ""}</span></div>
        </form></article>;
}

function ItemField({ item, set, n }: { item: PackItem; set(i: PackItem): void; n: number }) {
    useApp(() => [runtime.skills]);
    if (item.kind === "text") return <textarea class="code-field" rows={3} aria-label={`Text of item ${n}`} value={item.text} onInput={(e) => set({ ...item, text: e.currentTarget.value })} />;
    if (item.kind === "file") return <input class="code-field" aria-label={`Path of item ${n}`} value={item.path} spellcheck={false} placeholder="/docs/style.md" onInput={(e) => set({ ...item, path: e.currentTarget.value })} />;
    if (item.kind === "skill") return <select aria-label={`Skill of item ${n}`} value={item.name} onChange={(e) => set({ ...item, name: e.currentTarget.value })}><option value="">choose one</option>
        {item.name && !runtime.skills?.some((s) => s.name === item.name) ? <option value={item.name}>{item.name}</option> : null}
        {runtime.skills?.filter((s) => s.state === "ok").map((s) => <option key={s.name} value={s.name}>{s.name}</option>)}</select>;
    return <MessageField item={item} set={set} n={n} />;
}

/** A message of the open session, chosen by its words. */
function MessageField({ item, set, n }: { item: Extract<PackItem, { kind: "message" }>; set(i: PackItem): void; n: number }) {
    const view = currentView();
    const here = view && (item.session === view.id || !item.session);
    const messages = here ? view.items.filter((i): i is Extract<Item, { kind: "user" }> => i.kind === "user").map((i) => ({ seq: Number(i.key.slice(1)), text: i.text })) : [];
    if (!here && !item.seq) return <p class="muted small">Open the session with the message first, then come back here.</p>;
    const known = messages.some((m) => m.seq === item.seq);
    return <select aria-label={`Message of item ${n}`} value={String(item.seq)} onChange={(e) => set({ ...item, session: item.session || view!.id, seq: Number(e.currentTarget.value) })}>
        <option value="0">choose one of this session</option>{item.seq && !known ? <option value={String(item.seq)}>message {item.seq} of session {item.session.slice(0, 8)}</option> : null}
        {messages.map((m) => <option key={m.seq} value={String(m.seq)}>{m.text.split("\n")[0]!.slice(0, 80)}</option>)}</select>;
}
