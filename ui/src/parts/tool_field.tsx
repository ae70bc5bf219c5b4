import { app, useApp } from "../state.ts";

/** The name of a tool, completed from the list; with `patterns`, the patterns that rules take, too. */
export function ToolField({ value, set, patterns }: { value: string; set(v: string): void; patterns?: boolean }) {
    useApp(() => [app.tools]);
    const id = patterns ? "tool-patterns" : "tool-names";
    const names = app.tools?.tools.map((t) => t.name) ?? [];
    const servers = [...new Set(names.map((n) => /^(mcp__[^_]+(?:_[^_]+)*__)/.exec(n)?.[1]).filter(Boolean))];
    return <label><span>Tool</span><input value={value} list={id} spellcheck={false} autocomplete="off" placeholder={patterns ? "bash, mcp__*, *" : "bash"} onInput={(e) => set(e.currentTarget.value)} />
        <datalist id={id}>{patterns ? <><option value="*">every tool</option>{servers.map((s) => <option key={s} value={`${s}*`}>every tool of this server</option>)}</> : null}
            {names.map((n) => <option key={n} value={n} />)}</datalist></label>;
}
