// node:buffer: bytes with encodings.
(function ($) {
  'use strict';
  const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const nameOf = (encoding) => {
    const name = String(encoding ?? 'utf8').toLowerCase().replace(/[-_]/g, '');
    const known = { utf8: 'utf8', hex: 'hex', base64: 'base64', base64url: 'base64url', latin1: 'latin1', binary: 'latin1', ascii: 'ascii', utf16le: 'utf16le', ucs2: 'utf16le' };
    if (!Object.hasOwn(known, name)) throw Object.assign(new TypeError(`Unknown encoding: ${encoding}`), { code: 'ERR_UNKNOWN_ENCODING' });
    return known[name];
  };
  function encode(text, encoding) {
    switch (nameOf(encoding)) {
      case 'utf8': return $.encode(text);
      case 'latin1': case 'ascii': return Uint8Array.from(text, (c) => c.charCodeAt(0) & 255);
      case 'hex': { const pairs = text.match(/^(?:[0-9a-f]{2})*/i)[0]; return Uint8Array.from({ length: pairs.length / 2 }, (_, i) => parseInt(pairs.substr(2 * i, 2), 16)); }
      case 'utf16le': { const bytes = new Uint8Array(text.length * 2); for (let i = 0; i < text.length; i++) { bytes[2 * i] = text.charCodeAt(i) & 255; bytes[2 * i + 1] = text.charCodeAt(i) >> 8; } return bytes; }
      default: {
        const plain = text.replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
        return Uint8Array.from(atob(plain.slice(0, plain.length - (plain.length % 4 === 1 ? 1 : 0))), (c) => c.charCodeAt(0));
      }
    }
  }
  const chars = (bytes, mask = 255) => { let text = ''; for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode.apply(null, bytes.subarray(i, i + 8192).map((b) => b & mask)); return text; };
  function decode(bytes, encoding) {
    switch (nameOf(encoding)) {
      case 'utf8': return $.decode(bytes);
      case 'latin1': return chars(bytes);
      case 'ascii': return chars(bytes, 127);
      case 'hex': { let text = ''; for (const b of bytes) text += (b < 16 ? '0' : '') + b.toString(16); return text; }
      case 'utf16le': { let text = ''; for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8)); return text; }
      case 'base64url': return btoa(chars(bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
      default: return btoa(chars(bytes));
    }
  }
  class Buffer extends Uint8Array {
    static from(value, encoding, length) {
      if (typeof value === 'string') { const bytes = encode(value, encoding); return new Buffer(bytes.buffer, bytes.byteOffset, bytes.length); }
      if (value instanceof ArrayBuffer) return new Buffer(value, encoding, length);
      if (value?.type === 'Buffer' && Array.isArray(value.data)) value = value.data;
      if (typeof value === 'number' || value === null || value === undefined) throw new TypeError('Buffer.from wants a string, an array or bytes');
      const made = new Buffer(value.length);
      made.set(Array.isArray(value) ? value.map((b) => b & 255) : value);
      return made;
    }
    static alloc(size, fill, encoding) { const made = new Buffer(size); return fill === undefined ? made : made.fill(fill, 0, size, encoding); }
    static allocUnsafe(size) { return new Buffer(size); }
    static isBuffer(value) { return value instanceof Buffer; }
    static isEncoding(name) { try { nameOf(name); return true; } catch { return false; } }
    static byteLength(value, encoding) { return typeof value === 'string' ? encode(value, encoding).length : value.byteLength; }
    static concat(list, length = list.reduce((sum, part) => sum + part.length, 0)) {
      const made = new Buffer(length);
      let at = 0;
      for (const part of list) { made.set(part.subarray(0, length - at), at); at += Math.min(part.length, length - at); }
      return made;
    }
    static compare(a, b) { for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1; return Math.sign(a.length - b.length); }
    toString(encoding, start = 0, end = this.length) { return decode(this.subarray(start, end), encoding); }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    equals(other) { return Buffer.compare(this, other) === 0; }
    compare(other) { return Buffer.compare(this, other); }
    write(text, offset = 0, length, encoding) {
      const bytes = encode(text, typeof offset === 'string' ? offset : typeof length === 'string' ? length : encoding);
      const at = Number(offset) || 0, room = Math.min(bytes.length, this.length - at);
      this.set(bytes.subarray(0, room), at);
      return room;
    }
    copy(target, at = 0, start = 0, end = this.length) { const part = this.subarray(start, Math.min(end, start + target.length - at)); target.set(part, at); return part.length; }
    slice(start, end) { return this.subarray(start, end); }
    fill(value, start = 0, end = this.length, encoding) {
      if (typeof value !== 'string') return super.fill(value, start, end);
      const bytes = encode(value, encoding);
      if (!bytes.length) return super.fill(0, start, end);
      for (let i = start; i < end; i++) this[i] = bytes[(i - start) % bytes.length];
      return this;
    }
    indexOf(value, from = 0, encoding) {
      if (typeof value === 'number') return super.indexOf(value & 255, from);
      const bytes = typeof value === 'string' ? encode(value, encoding) : value;
      for (let i = Math.max(from, 0); i + bytes.length <= this.length; i++) { let k = 0; while (k < bytes.length && this[i + k] === bytes[k]) k++; if (k === bytes.length) return i; }
      return -1;
    }
    includes(value, from, encoding) { return this.indexOf(value, from, encoding) >= 0; }
    [Symbol.for('nodejs.util.inspect.custom')]() {
      const shown = Array.from(this.subarray(0, 50), (b) => (b < 16 ? '0' : '') + b.toString(16)).join(' ');
      return `<Buffer${shown ? ` ${shown}` : ''}${this.length > 50 ? ` ... ${this.length - 50} more bytes` : ''}>`;
    }
  }
  for (const [name, get, bytes] of [['UInt8', 'getUint8', 1], ['Int8', 'getInt8', 1], ['UInt16', 'getUint16', 2], ['Int16', 'getInt16', 2],
    ['UInt32', 'getUint32', 4], ['Int32', 'getInt32', 4], ['Float', 'getFloat32', 4], ['Double', 'getFloat64', 8], ['BigUInt64', 'getBigUint64', 8], ['BigInt64', 'getBigInt64', 8]]) {
    for (const order of bytes === 1 ? [''] : ['LE', 'BE']) {
      const put = (method, call) => Object.defineProperty(Buffer.prototype, method, { value: call, writable: true, configurable: true });
      const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
      put(`read${name}${order}`, function (at = 0) { return view(this)[get](at, order === 'LE'); });
      put(`write${name}${order}`, function (value, at = 0) { view(this)[get.replace('get', 'set')](at, value, order === 'LE'); return at + bytes; });
    }
  }
  class Blob {
    #bytes;
    constructor(parts = [], { type = '' } = {}) {
      this.#bytes = Buffer.concat(parts.map((part) => (part instanceof Blob ? part.#bytes : typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer ?? part))));
      this.type = type;
    }
    get size() { return this.#bytes.length; }
    async text() { return this.#bytes.toString(); }
    async arrayBuffer() { return this.#bytes.buffer.slice(this.#bytes.byteOffset, this.#bytes.byteOffset + this.#bytes.length); }
    slice(start, end) { return new Blob([this.#bytes.subarray(start, end)]); }
  }
  return { Buffer, Blob, atob, btoa, constants: { MAX_LENGTH: 2 ** 31 - 1 }, kMaxLength: 2 ** 31 - 1 };
})
