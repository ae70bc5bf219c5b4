import { app, change, send, useApp } from "../state.ts";
import { Icon } from "../icon.tsx";

const examples = ["What is in this folder? Name the most important files.", "Find every TODO and list where it is.", "Read README.md and tell me in two sentences what it is about."];

/** The empty page: three ways to begin the first time, examples after that. */
export function FirstRun() {
    const { models, sessions, sessionsLoaded, system } = useApp(() => [app.models, app.sessions, app.sessionsLoaded, app.system]);
    const ready = models?.models.filter((m) => m.available && m.id !== "embedded/tour") ?? [];
    const small = models?.models.find((m) => m.id === "embedded/smollm2");
    const served = ready.filter((m) => m.local && m.provider !== "embedded");
    const first = sessionsLoaded && sessions.length === 0;
    const settings = () => change(() => { app.panel = "settings"; });
    return <div class="log-frame"><div class="log"><div class="column first-run">
        <h2>{first ? "An agent that works on this machine" : "What should be done?"}</h2>
        <p class="muted">Every tool call runs in a sandbox that sees {system ? <code class="path">{system.root}</code> : "one folder"} and nothing else. You are asked before anything is changed.</p>
        {first || ready.length === 0 ? <div class="start-cards">
            <section>
                <h3><Icon name="play" /> Try it now, offline</h3>
                <p>The tour plays a scripted conversation through the real runtime: two sandboxed calls on your folder, no network, no key.</p>
                <div class="row"><button type="button" class="primary" onClick={() => { void send("Show me how you work.", "embedded/tour"); }}>Take the tour</button>
                    {small?.available ? <button type="button" onClick={() => { void send("Which files are in this folder?", "embedded/smollm2"); }}>Use SmolLM2</button> : null}</div>
                <p class="muted">SmolLM2 (135 M) proves that everything works offline. It is not a good assistant.</p>
            </section>
            <section>
                <h3><Icon name="box" /> Use a model running here</h3>
                <p>{served.length ? `Ready: ${served.slice(0, 3).map((m) => m.name || m.id).join(", ")}.` : "Ollama, LM Studio, llama.cpp and any other OpenAI-compatible endpoint on this machine work by their address."}</p>
                <button type="button" onClick={settings}>Choose an endpoint</button>
            </section>
            <section>
                <h3><Icon name="settings" /> Use a cloud model</h3>
                <p>Give a provider's key; it stays in a file that only you can read. Your messages and what the tools read then go to that provider.</p>
                <button type="button" onClick={settings}>Add a key</button>
            </section>
        </div> : null}
        {ready.length ? <ul class="examples" aria-label="Examples">
            {examples.map((text) => <li key={text}><button type="button" onClick={() => window.dispatchEvent(new CustomEvent("bx-fill", { detail: text }))}>{text}</button></li>)}
        </ul> : null}
    </div></div></div>;
}

