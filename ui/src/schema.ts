// A form from a JSON Schema: which field a member gets, and from what was typed to the value.
import type { Json } from "./types.ts";

export type FieldKind = "text" | "lines" | "number" | "choice" | "boolean" | "json";
export interface Field { name: string; kind: FieldKind; required: boolean; description: string; choices: Json[]; integer: boolean; fallback: Json | undefined }

type Members = { [key: string]: Json };
const isObject = (v: Json | undefined): v is Members => typeof v === "object" && v !== null && !Array.isArray(v);
const long = new Set(["content", "command", "code", "old_string", "new_string", "prompt", "plan", "text", "body"]);

/** The members in the order of the schema, required ones first. */
export function fieldsOf(schema: Json): Field[] {
    const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
    const required = isObject(schema) && Array.isArray(schema.required) ? schema.required : [];
    return Object.entries(properties).map(([name, raw]): Field => {
        const s = isObject(raw) ? raw : {};
        const types = (Array.isArray(s.type) ? s.type : [s.type]).filter((t) => t !== "null");
        const choices = Array.isArray(s.enum) ? s.enum : [];
        const type = types.length === 1 ? types[0] : undefined;
        const kind: FieldKind = choices.length ? "choice" : type === "boolean" ? "boolean" : type === "integer" || type === "number" ? "number"
            : type === "string" ? (long.has(name) ? "lines" : "text") : "json";
        return { name, kind, required: required.includes(name), description: typeof s.description === "string" ? s.description : "", choices, integer: type === "integer", fallback: s.default };
    }).sort((a, b) => Number(b.required) - Number(a.required));
}

/** What was typed, as a value; undefined: left out. Throws a sentence when it is none. */
export function valueOf(field: Field, typed: string): Json | undefined {
    if (field.kind === "text" || field.kind === "lines") return typed === "" && !field.required ? undefined : typed;
    if (typed.trim() === "") return undefined;
    if (field.kind === "boolean") return typed === "true";
    if (field.kind === "choice") return field.choices.find((c) => String(c) === typed);
    if (field.kind === "number") {
        const n = Number(typed);
        if (!Number.isFinite(n) || (field.integer && !Number.isInteger(n))) throw new Error(`${field.name}: ${typed} is not ${field.integer ? "a whole number" : "a number"}.`);
        return n;
    }
    try { return JSON.parse(typed) as Json; } catch { throw new Error(`${field.name}: this is not JSON. Texts stand in quotes, lists in [ ].`); }
}

export function inputOf(fields: Field[], typed: Record<string, string>): Members {
    const input: Members = {};
    for (const field of fields) {
        const value = valueOf(field, typed[field.name] ?? "");
        if (value !== undefined) input[field.name] = value;
    }
    return input;
}

/** An example's values as they would be typed. */
export function typedOf(fields: Field[], example: Json | undefined): Record<string, string> {
    const typed: Record<string, string> = {};
    if (!isObject(example)) return typed;
    for (const { name } of fields) {
        const v = example[name];
        if (v !== undefined) typed[name] = typeof v === "string" ? v : JSON.stringify(v);
    }
    return typed;
}

/** The needed members with some value that fits, for a call that is only asked about. */
export function needed(schema: Json): Members {
    return Object.fromEntries(fieldsOf(schema).filter((f) => f.required).map((f) => [f.name, f.fallback ?? f.choices[0] ?? sample(isObject(schema) && isObject(schema.properties) ? schema.properties[f.name] : undefined)]));
}

function sample(of: Json | undefined): Json {
    const s = isObject(of) ? of : {}, type = Array.isArray(s.type) ? s.type[0] : s.type;
    if (type === "integer" || type === "number") return typeof s.minimum === "number" ? s.minimum : 1;
    if (type === "boolean") return false;
    if (type === "array") return typeof s.minItems === "number" && s.minItems > 0 ? Array.from({ length: s.minItems }, () => sample(s.items)) : [];
    if (type === "object") return needed(s);
    return "x";
}
