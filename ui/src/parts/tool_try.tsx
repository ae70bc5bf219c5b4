import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { newCall, type Call } from "../fold.ts";
import { fieldsOf, inputOf, typedOf, type Field } from "../schema.ts";
import { attempt } from "../state.ts";
import type { Json, ToolInfo } from "../types.ts";
import { CallBody } from "./call_body.tsx";

/** A form made from the schema. Who sends it has answered what would be asked; everything else is as in an agent's call. */
export function TryTool({ tool }: { tool: ToolInfo }) {
    const fields = fieldsOf(tool.input_schema);
    const [typed, setTyped] = useState<Record<string, string>>({});
    const [raw, setRaw] = useState<string | null>(fields.length ? null : "{}");
    const [problem, setProblem] = useState("");
    const [running, setRunning] = useState(false);
    const [call, setCall] = useState<Call | null>(null);
    const example = tool.example !== undefined && tool.example !== null ? tool.example : undefined;
    const input = (): Json | undefined => {
        try {
            setProblem("");
            return raw === null ? inputOf(fields, typed) : (JSON.parse(raw) as Json);
        } catch (e) {
            setProblem(raw === null ? (e as Error).message : "This is not JSON.");
            return undefined;
        }
    };
    const run = async () => {
        const value = input();
        if (value === undefined || running) return;
        setRunning(true);
        const began = Date.now();
        const result = await attempt(() => api.runTool(tool.name, value));
        setRunning(false);
        if (!result) return;
        const limits = Object.fromEntries(Object.entries(tool.limits).map(([name, l]) => [name, l.value]));
        setCall({ ...newCall("", tool.name, value, result.limit ? "limited" : result.is_error ? "failed" : "done"), limits, content: result.content, metadata: result.metadata ?? undefined,
            limit: result.limit, receipt: result.receipt, denied: result.denied, ms: Date.now() - began });
    };
    const fill = () => { if (raw === null) setTyped(typedOf(fields, example)); else setRaw(JSON.stringify(example, null, 2)); };
    return <section class="try" aria-label="Try it"><h3>Try it</h3>
        <form class="stack" onSubmit={(e) => { e.preventDefault(); void run(); }}>
            {raw === null ? fields.map((f) => <FieldView key={f.name} field={f} value={typed[f.name] ?? ""} set={(v) => setTyped({ ...typed, [f.name]: v })} />)
                : <textarea rows={6} class="code-field" value={raw} aria-label="Input as JSON" spellcheck={false} onInput={(e) => setRaw(e.currentTarget.value)} />}
            {problem ? <p class="field-problem" role="alert">{problem}</p> : null}
            <div class="choices">
                <button type="submit" class="primary" disabled={running}>{running ? "Running…" : "Run"}</button>
                {example !== undefined ? <button type="button" class="quiet" onClick={fill}>Fill in the example</button> : null}
                {fields.length ? <button type="button" class="quiet" onClick={() => setRaw(raw === null ? JSON.stringify(input() ?? {}, null, 2) : null)}>{raw === null ? "As JSON" : "As a form"}</button> : null}
            </div>
        </form>
        {call ? <div class={`card try-result ${call.state === "done" ? "ok" : call.state === "limited" ? "warn" : "stop"}`} data-state={call.state} aria-live="polite"><div class="card-body"><CallBody call={call} alone /></div></div> : null}
    </section>;
}

function FieldView({ field, value, set }: { field: Field; value: string; set(v: string): void }) {
    const id = `field-${field.name}`;
    const common = { id, value, "aria-describedby": field.description ? `${id}-says` : undefined };
    return <div class="field">
        <label for={id}><code>{field.name}</code>{field.required ? <span class="muted small"> needed</span> : null}</label>
        {field.kind === "choice" || field.kind === "boolean"
            ? <select {...common} onChange={(e) => set(e.currentTarget.value)}><option value="">{field.fallback !== undefined ? `default (${JSON.stringify(field.fallback)})` : "not given"}</option>
                {(field.kind === "boolean" ? ["true", "false"] : field.choices.map(String)).map((c) => <option key={c} value={c}>{c}</option>)}</select>
            : field.kind === "lines" || field.kind === "json"
                ? <textarea {...common} rows={field.kind === "json" ? 2 : 4} class="code-field" spellcheck={false} placeholder={field.kind === "json" ? "JSON" : ""} onInput={(e) => set(e.currentTarget.value)} />
                : <input {...common} inputMode={field.kind === "number" ? "decimal" : undefined} spellcheck={false} placeholder={field.fallback !== undefined ? JSON.stringify(field.fallback) : ""}
                    onInput={(e) => set(e.currentTarget.value)} />}
        {field.description ? <p class="muted small" id={`${id}-says`}>{field.description}</p> : null}
    </div>;
}
