import type { IconName } from "./icon.tsx";

/** A level's sign and what it means in words. */
export const levels: Record<string, [IconName, string]> = { none: ["box", "touches nothing"], read_only: ["eye", "reads"], write: ["pencil", "writes"],
    execute: ["terminal", "runs programs"], dangerous: ["triangle", "dangerous"], forbidden: ["x", "forbidden"] };
