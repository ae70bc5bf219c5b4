// @NAME@: counts the lines, words and bytes of a file.
//
// The default export is called with the input; what it returns is the result: a text, or {content, is_error, metadata}. An
// error that it throws is the result too. It sees the folders that it was granted and nothing else.
import { readFileSync } from "node:fs";

export default function (input) {
    const bytes = readFileSync(input.file_path);
    const text = readFileSync(input.file_path, "utf8");
    const lines = text.split("\n").length - 1;
    const words = text.split(/\s+/).filter(Boolean).length;
    return `${lines} lines, ${words} words, ${bytes.length} bytes`;
}
