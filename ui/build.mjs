// build.mjs OUT: bundles the page into OUT, each file with its .gz beside it. Names carry no hash: the server sends ETags.
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const out = process.argv[2] ?? "dist";
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
    entryPoints: { app: "src/main.tsx" }, bundle: true, minify: true, format: "esm", target: "es2022", outdir: out,
    jsx: "automatic", jsxImportSource: "preact", legalComments: "none", loader: { ".svg": "text" }, logLevel: "warning",
});
await build({ entryPoints: { app: "src/app.css" }, bundle: true, minify: true, outdir: out, logLevel: "warning" });
for (const name of ["index.html", "favicon.svg"]) cpSync(join("src", name), join(out, name));
let total = 0;
for (const name of readdirSync(out)) {
    const packed = gzipSync(readFileSync(join(out, name)), { level: 9 });
    writeFileSync(join(out, name + ".gz"), packed);
    total += packed.length;
}
console.error(`page: ${(total / 1024).toFixed(1)} KiB compressed`);
if (total > 300 * 1024) throw new Error("the page is larger than 300 KiB compressed");
