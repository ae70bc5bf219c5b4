import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, inputOf, needed, typedOf } from "../src/schema.ts";

const schema = { type: "object", required: ["pattern"], properties: { limit: { type: "integer" }, pattern: { type: "string", description: "What" }, all: { type: "boolean" },
    mode: { enum: ["a", "b", 3] }, content: { type: "string" }, edits: { type: "array" }, maybe: { type: ["string", "null"] } } };

test("required members come first, each with its kind of field", () => {
    assert.deepEqual(fieldsOf(schema).map((f) => [f.name, f.kind, f.required]), [["pattern", "text", true], ["limit", "number", false], ["all", "boolean", false],
        ["mode", "choice", false], ["content", "lines", false], ["edits", "json", false], ["maybe", "text", false]]);
    assert.deepEqual(fieldsOf(true), []);
});

test("what was typed becomes an input, what was left empty is left out", () => {
    const fields = fieldsOf(schema);
    assert.deepEqual(inputOf(fields, {}), { pattern: "" });
    assert.deepEqual(inputOf(fields, { pattern: "x", limit: "3", all: "false", mode: "3", edits: "[1]", maybe: "" }), { pattern: "x", limit: 3, all: false, mode: 3, edits: [1] });
});

test("what cannot be a value is said", () => {
    const fields = fieldsOf(schema);
    assert.throws(() => inputOf(fields, { pattern: "x", limit: "2.5" }), /limit: 2.5 is not a whole number/);
    assert.throws(() => inputOf(fields, { pattern: "x", edits: "{" }), /edits: this is not JSON/);
});

test("an example fills the form and comes out again", () => {
    const fields = fieldsOf(schema), example = { pattern: "a", limit: 2, all: true, edits: [{ a: 1 }] };
    assert.deepEqual(inputOf(fields, typedOf(fields, example)), example);
});

test("what is needed gets a value that fits", () => {
    assert.deepEqual(needed({ required: ["path", "n", "how", "list", "of"], properties: { path: { type: "string" }, n: { type: "integer", minimum: 3 }, how: { enum: ["a", "b"] }, list: { type: "array", minItems: 1, items: { type: "boolean" } },
        of: { type: "object", required: ["x"], properties: { x: { type: ["number", "null"] } } }, free: { type: "string" } } }), { path: "x", n: 3, how: "a", list: [false], of: { x: 1 } });
    assert.deepEqual(needed(null), {});
});
