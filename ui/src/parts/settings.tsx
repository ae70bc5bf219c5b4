import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { Icon } from "../icon.tsx";
import { app, attempt, change, setModel, useApp } from "../state.ts";
import { setTheme, theme, type Theme } from "../theme.ts";
import { RetentionSection } from "./retention.tsx";
import type { ProviderInfo } from "../types.ts";

async function reloadModels(): Promise<void> {
    const models = await api.models();
    change(() => { app.models = models; });
}

export function Settings() {
    const { models, system } = useApp(() => [app.models, app.system]);
    const [shown, setShown] = useState<Theme>(theme());
    return <aside class="panel" aria-label="Settings">
        <header><h2>Settings</h2>
            <button type="button" class="icon-button" aria-label="Close" onClick={() => change(() => { app.panel = "none"; })}><Icon name="x" /></button></header>
        <section>
            <h3>Model for new sessions</h3>
            <select aria-label="Model for new sessions" value={models?.default ?? ""} onChange={(e) => { void saveDefault(e.currentTarget.value); }}>
                {models?.models.map((m) => <option key={m.id} value={m.id} disabled={!m.available}>{m.name || m.id}{m.available ? "" : ` · ${m.why || "not ready"}`}</option>)}
            </select>
        </section>
        <Endpoint />
        <section>
            <h3>Keys</h3>
            <p class="muted">A key from the environment is used first. One that you give here is written to auth.json, readable by you alone, and is never shown again.</p>
            <ul class="providers">{models?.providers.map((p) => <Provider key={p.id} provider={p} />)}</ul>
        </section>
        <section>
            <h3>Look</h3>
            <div class="segments" role="radiogroup" aria-label="Look">
                {(["system", "light", "dark"] as Theme[]).map((t) => <label key={t}><input type="radio" name="theme" checked={shown === t}
                    onChange={() => { setTheme(t); setShown(t); }} />{t === "system" ? "As the system" : t === "light" ? "Light" : "Dark"}</label>)}
            </div>
        </section>
        <RetentionSection />
        {system ? <section class="about">
            <h3>About</h3>
            <dl><dt>Version</dt><dd>{system.version}</dd><dt>Workspace</dt><dd class="path">{system.workspace}</dd><dt>Root</dt><dd class="path">{system.root}</dd></dl>
        </section> : null}
    </aside>;
}

async function saveDefault(model: string): Promise<void> {
    if (!app.current) return setModel(model);
    await attempt(async () => { await api.saveSettings({ model }); await reloadModels(); });
}

function Provider({ provider }: { provider: ProviderInfo }) {
    const [key, setKey] = useState("");
    const [open, setOpen] = useState(false);
    const save = async () => {
        await attempt(async () => { await api.saveKey(provider.id, key); setKey(""); setOpen(false); await reloadModels(); });
    };
    if (!provider.key_env) return null;
    return <li>
        <div class="row"><span>{provider.name || provider.id}</span><span class="muted">{provider.has_key ? "has a key" : ""}</span>
            <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>{provider.has_key ? "Change" : "Add key"}</button></div>
        {open ? <form onSubmit={(e) => { e.preventDefault(); void save(); }}>
            <input type="password" autocomplete="off" placeholder={`Key (or set ${provider.key_env})`} aria-label={`Key of ${provider.name || provider.id}`} value={key}
                onInput={(e) => setKey(e.currentTarget.value)} />
            <button type="submit" disabled={!key.trim()}>Save</button>
        </form> : null}
    </li>;
}

/** Any OpenAI-compatible endpoint, by its address. */
function Endpoint() {
    const [url, setUrl] = useState("");
    const [model, setModelName] = useState("");
    const [done, setDone] = useState("");
    const save = async () => {
        const id = "custom";
        await attempt(async () => {
            await api.saveSettings({ providers: { [id]: { base_url: url.trim(), models: [{ id: model.trim() }] } }, model: `${id}/${model.trim()}` });
            await reloadModels();
            setDone(`${id}/${model.trim()} is the model for new sessions now.`);
        });
    };
    return <section>
        <h3>An endpoint of your own</h3>
        <form class="stack" onSubmit={(e) => { e.preventDefault(); void save(); }}>
            <input value={url} placeholder="http://127.0.0.1:11434/v1" aria-label="Base URL" onInput={(e) => { setUrl(e.currentTarget.value); setDone(""); }} />
            <input value={model} placeholder="Model name, e.g. qwen3:8b" aria-label="Model name" onInput={(e) => { setModelName(e.currentTarget.value); setDone(""); }} />
            <button type="submit" disabled={!/^https?:\/\/./.test(url.trim()) || !model.trim()}>Use it</button>
        </form>
        {done ? <p class="muted" role="status">{done}</p> : null}
    </section>;
}
