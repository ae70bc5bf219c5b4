// node:crypto: random numbers, and the digests that scripts use to compare files.
(function ($, builtin) {
  'use strict';
  const rotl = (x, n) => (x << n) | (x >>> (32 - n)), rotr = (x, n) => (x >>> n) | (x << (32 - n));
  const roots = (count, power) => {
    const words = [];
    for (let n = 2; words.length < count; n++) {
      let prime = true;
      for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
      if (prime) words.push(((n ** power) % 1 * 2 ** 32) | 0);
    }
    return words;
  };
  function pad(bytes, bigEndian) {
    const size = (bytes.length + 9 + 63) & ~63, padded = new Uint8Array(size), view = new DataView(padded.buffer);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const bits = BigInt(bytes.length) * 8n;
    view.setBigUint64(size - 8, bits, !bigEndian);
    return view;
  }
  function finish(words, littleEndian) {
    const out = new Uint8Array(words.length * 4), view = new DataView(out.buffer);
    words.forEach((word, i) => view.setInt32(4 * i, word, littleEndian));
    return out;
  }
  function sha256(bytes) {
    const k = roots(64, 1 / 3), h = roots(8, 1 / 2), view = pad(bytes, true), w = new Int32Array(64);
    for (let at = 0; at < view.byteLength; at += 64) {
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (rotr(x, 7) ^ rotr(x, 18) ^ (x >>> 3)) + w[i - 7] + (rotr(y, 17) ^ rotr(y, 19) ^ (y >>> 10));
      }
      let [a, b, c, d, e, f, g, hh] = h;
      for (let i = 0; i < 64; i++) {
        const t1 = (hh + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
        const t2 = ((rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        hh = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
      }
      [a, b, c, d, e, f, g, hh].forEach((word, i) => { h[i] = (h[i] + word) | 0; });
    }
    return finish(h, false);
  }
  function sha1(bytes) {
    const h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0].map((x) => x | 0), view = pad(bytes, true), w = new Int32Array(80);
    for (let at = 0; at < view.byteLength; at += 64) {
      for (let i = 0; i < 80; i++) w[i] = i < 16 ? view.getInt32(at + 4 * i) : rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
      let [a, b, c, d, e] = h;
      for (let i = 0; i < 80; i++) {
        const f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        const t = (rotl(a, 5) + f + e + w[i] + [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][(i / 20) | 0]) | 0;
        e = d; d = c; c = rotl(b, 30); b = a; a = t;
      }
      [a, b, c, d, e].forEach((word, i) => { h[i] = (h[i] + word) | 0; });
    }
    return finish(h, false);
  }
  function md5(bytes) {
    const h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476].map((x) => x | 0), view = pad(bytes, false);
    const shifts = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    for (let at = 0; at < view.byteLength; at += 64) {
      let [a, b, c, d] = h;
      for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        const f = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d);
        const g = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
        const t = (a + f + Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) + view.getInt32(at + 4 * g, true)) | 0;
        a = d; d = c; c = b; b = (b + rotl(t, shifts[round][i % 4])) | 0;
      }
      [a, b, c, d].forEach((word, i) => { h[i] = (h[i] + word) | 0; });
    }
    return finish(h, true);
  }
  const digests = { sha256, sha1, md5 };
  const { Buffer } = builtin('buffer');
  const bytesOf = (data, encoding) => (typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data));
  function digestOf(name) {
    const plain = String(name).toLowerCase().replace('-', '');
    if (!Object.hasOwn(digests, plain)) throw new Error(`The digest "${name}" is not there; sha256, sha1 and md5 are.`);
    return digests[plain];
  }
  class Hash {
    #parts = []; #call;
    constructor(call) { this.#call = call; }
    update(data, encoding) { this.#parts.push(bytesOf(data, encoding)); return this; }
    digest(encoding) { const made = Buffer.from(this.#call(Buffer.concat(this.#parts))); return encoding ? made.toString(encoding) : made; }
  }
  function createHmac(name, key) {
    const call = digestOf(name);
    key = bytesOf(key);
    if (key.length > 64) key = Buffer.from(call(key));
    const padded = (byte) => { const block = Buffer.alloc(64, byte); key.forEach((b, i) => { block[i] ^= b; }); return block; };
    return new Hash((bytes) => call(Buffer.concat([padded(0x5c), Buffer.from(call(Buffer.concat([padded(0x36), bytes])))])));
  }
  const randomBytes = (size) => Buffer.from($.random(size).buffer);
  function randomUUID() {
    const b = randomBytes(16);
    b[6] = (b[6] & 15) | 64;
    b[8] = (b[8] & 63) | 128;
    return b.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  function randomInt(low, high) {
    if (high === undefined) [low, high] = [0, low];
    return low + Number(randomBytes(8).readBigUInt64LE() % BigInt(high - low));
  }
  const getRandomValues = (array) => { new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set($.random(array.byteLength)); return array; };
  return {
    createHash: (name) => new Hash(digestOf(name)), createHmac, getHashes: () => Object.keys(digests), randomBytes, randomUUID, randomInt, getRandomValues,
    timingSafeEqual: (a, b) => Buffer.compare(bytesOf(a), bytesOf(b)) === 0,
    webcrypto: { getRandomValues, randomUUID, subtle: undefined },
  };
})
