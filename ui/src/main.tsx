import { render, type JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useKeys } from "./keys.ts";
import { AgentsPage } from "./parts/agents_page.tsx";
import { Chat } from "./parts/chat.tsx";
import { Inspector } from "./parts/inspector.tsx";
import { MemoryPage } from "./parts/memory_page.tsx";
import { PermissionsPage } from "./parts/permissions_page.tsx";
import { Sessions } from "./parts/sessions.tsx";
import { Settings } from "./parts/settings.tsx";
import { SkillsPage } from "./parts/skills_page.tsx";
import { ToolsPage } from "./parts/tools_page.tsx";
import { app, change, showList, start, useApp, type Page } from "./state.ts";
import { applyTheme } from "./theme.ts";

function Foot() {
    const { toast, problem, connected, lostAt } = useApp(() => [app.toast, app.problem, app.connected, app.lostAt]);
    const [, tick] = useState(0);
    useEffect(() => {
        if (connected) return;
        const timer = setTimeout(() => tick((n) => n + 1), 2050); // said only after 2 s
        return () => clearTimeout(timer);
    }, [connected]);
    return <div class="foot" role="status" aria-live="polite">
        {!connected && lostAt && Date.now() - lostAt > 2000 ? <div class="toast warn">The connection to the server is lost. Trying again…</div> : null}
        {problem ? <div class="toast stop"><span>{problem}</span>
            <button type="button" class="quiet" onClick={() => change(() => { app.problem = null; })}>Dismiss</button></div> : null}
        {toast ? <div class="toast"><span>{toast.text}</span>
            {toast.act ? <button type="button" class="quiet" onClick={toast.act}>{toast.action}</button> : null}</div> : null}
    </div>;
}

function SignedOut() {
    return <main class="signed-out">
        <h1>This browser is not signed in</h1>
        <p>The server answers only to the browser that opened its one-time address. Start <code>boxagnts</code> again and open the address that it prints,
            or run it with <code>--open</code>.</p>
    </main>;
}

const pages: Record<Page, () => JSX.Element> = { chat: Chat, tools: ToolsPage, permissions: PermissionsPage, skills: SkillsPage, agents: AgentsPage, memory: MemoryPage };

function App() {
    useKeys();
    const { signedOut, panel, drawer, listHidden, page } = useApp(() => [app.signedOut, app.page, app.panel, app.drawer, app.listHidden]);
    if (signedOut) return <SignedOut />;
    const Main = pages[page];
    return <div class={`app ${drawer ? "with-drawer" : ""} ${panel !== "none" && page === "chat" ? "with-panel" : ""} ${listHidden ? "without-list" : ""}`}>
        <Sessions />
        <Main />
        {page !== "chat" ? null : panel === "settings" ? <Settings /> : panel === "inspector" ? <Inspector /> : null}
        {drawer ? <button type="button" class="shade" aria-label="Close the list of sessions" onClick={() => showList(false)} /> : null}
        <Foot />
    </div>;
}

applyTheme();
render(<App />, document.getElementById("app")!);
void start();
