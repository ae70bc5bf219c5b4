import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, bytes, count, exact, millis, money, plural } from "../src/words.ts";

test("milliseconds", () => {
    assert.deepEqual([undefined, 0, 0.4, 1, 999.4, 1000, 59_900, 60_000, 95_000, 119_900].map(millis), ["", "< 1 ms", "< 1 ms", "1 ms", "999 ms", "1 s", "59.9 s", "1 min", "1 min 35 s", "2 min"]);
});

test("bytes and counts have units and no false precision", () => {
    assert.deepEqual([0, 1023, 1024, 1536, 10 * 1024, 1024 ** 2 * 256, 1024 ** 3 * 1.5].map(bytes), ["0 B", "1023 B", "1 KiB", "1.5 KiB", "10 KiB", "256 MiB", "1.5 GiB"]);
    assert.deepEqual([0, 999, 1000, 1250, 32_768, 1_900_000, 10e9].map(count), ["0", "999", "1 k", "1.3 k", "33 k", "1.9 M", "10 G"]);
});

test("money keeps the digits that say something", () => {
    assert.deepEqual([0, 0.00001, 0.0084, 0.042, 1.5, 120].map(money), ["$0", "< $0.0001", "$0.0084", "$0.042", "$1.50", "$120.00"]);
});

test("times are relative, exact on demand", () => {
    const now = Date.parse("2026-11-23T12:00:00Z");
    const before = (s: number) => ago(new Date(now - s * 1000).toISOString(), now);
    assert.deepEqual([0, 59, 60, 3599, 3600, 86_399, 86_400, 6 * 86_400].map(before), ["now", "now", "1 min", "59 min", "1 h", "23 h", "1 d", "6 d"]);
    assert.match(before(40 * 86_400), /14/);
    assert.equal(ago(undefined), "");
    assert.equal(before(-5), "now"); // a clock that is ahead
    assert.equal(exact(undefined), "");
    assert.notEqual(exact("2026-11-23T12:00:00Z"), "");
});

test("one call, two calls", () => {
    assert.deepEqual([plural(1, "call"), plural(2, "call"), plural(0, "entry", "entries")], ["1 call", "2 calls", "0 entries"]);
});
