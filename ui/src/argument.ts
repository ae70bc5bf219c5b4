import type { Json } from "./types.ts";
import { plural } from "./words.ts";

/** The one argument that says what the call is about. */
export function mainArgument(input: Json): string {
    if (typeof input === "string") return input.slice(0, 120);
    if (!input || typeof input !== "object" || Array.isArray(input)) return "";
    const asked = Array.isArray(input.questions) ? input.questions[0] : undefined;
    if (asked && typeof asked === "object" && !Array.isArray(asked) && typeof asked.question === "string") return asked.question;
    if (Array.isArray(input.todos)) return plural(input.todos.length, "task");
    if (typeof input.plan === "string") return input.plan.replace(/^[#\s]+/, "").split("\n", 1)[0]!;
    if (typeof input.prompt === "string" && typeof input.description === "string") return input.description;
    for (const key of ["file_path", "pattern", "command", "url", "query", "path"]) {
        const value = input[key];
        if (typeof value === "string") return key === "pattern" && typeof input.path === "string" ? `${value} in ${input.path}` : value;
    }
    const first = Object.entries(input)[0];
    return first ? `${first[0]}: ${typeof first[1] === "string" ? first[1] : JSON.stringify(first[1])}` : "";
}
