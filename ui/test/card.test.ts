import assert from "node:assert/strict";
import { test } from "node:test";
import { mainArgument } from "../src/argument.ts";

test("the main argument of a call", () => {
    const table: [unknown, string][] = [
        [{ file_path: "/a", offset: 3 }, "/a"], [{ pattern: "x", path: "/src" }, "x in /src"], [{ pattern: "*.c" }, "*.c"], [{ path: "/only" }, "/only"], [{ command: "make test" }, "make test"],
        [{ seconds: 3 }, "seconds: 3"], [{ list: [1, 2] }, "list: [1,2]"], [{}, ""], [null, ""], [[1], ""], ["{\"file_pa", "{\"file_pa"], ["x".repeat(300), "x".repeat(120)],
    ];
    for (const [input, says] of table) assert.equal(mainArgument(input as never), says);
});
