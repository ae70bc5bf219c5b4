// wasi.mjs FILE.wasm ROOT ARG…: runs a guest under Node's WASI with "/" = ROOT; a second opinion beside the box.
import { WASI } from "node:wasi";
import { readFileSync } from "node:fs";

const [, , wasm, root, ...args] = process.argv;
const wasi = new WASI({ version: "preview1", args, env: {}, preopens: { "/": root }, returnOnExit: true });
const module = await WebAssembly.compile(readFileSync(wasm));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
