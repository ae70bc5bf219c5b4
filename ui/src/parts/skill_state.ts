import type { Skill } from "../types_runtime.ts";

/** Where a skill or an agent comes from. */
export const sourceWords: Record<string, string> = { workspace: "this workspace", root: "came with the folder", user: "yours, in every workspace", bundled: "part of the program", "built in": "part of the program" };

/** A skill's state in words, with its tone. */
export const skillStates: Record<Skill["state"], [text: string, tone: string]> = { ok: ["ready", "ok"], broken: ["broken", "stop"], shadowed: ["hidden by a nearer one", ""], untrusted: ["not trusted yet", "wait"] };
