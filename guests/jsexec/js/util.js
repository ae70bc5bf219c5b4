// How values are shown, and what little of node:util scripts use.
(function ($, builtin) {
  'use strict';
  const MAX_TEXT = 10000;
  const quote = (text) => {
    if (text.length > MAX_TEXT) text = `${text.slice(0, MAX_TEXT)}… ${text.length - MAX_TEXT} more`;
    const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'";
    const json = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
    return mark + (mark === "'" ? json.replaceAll("'", "\\'") : json) + mark;
  };
  const isName = (key) => /^[A-Za-z_$][\w$]*$/.test(key);
  const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const colours = /\x1b\[[0-9;]*m/g;

  function inspect(value, options, ...old) {
    const settings = { depth: 2, maxArrayLength: 100, breakLength: 80, showHidden: false, compact: 3, sorted: false };
    if (typeof options === 'boolean') {
      if (typeof old[0] === 'number' || old[0] === null) settings.depth = old[0] ?? Infinity;
    } else if (options) {
      Object.assign(settings, options);
    }
    if (settings.depth === null) settings.depth = Infinity;
    return show(value, settings, 0, [], 0);
  }
  inspect.custom = Symbol.for('nodejs.util.inspect.custom');
  inspect.defaultOptions = {};

  function show(value, settings, depth, above, column) {
    switch (typeof value) {
      case 'string': return depth ? quote(value) : quote(value);
      case 'number': return Object.is(value, -0) ? '-0' : String(value);
      case 'bigint': return `${value}n`;
      case 'symbol': return value.toString();
      case 'undefined': return 'undefined';
      case 'boolean': return String(value);
    }
    if (value === null) return 'null';
    if (above.includes(value)) return '[Circular *1]';
    const custom = value[inspect.custom];
    if (typeof custom === 'function' && custom !== inspect) {
      const made = custom.call(value, settings.depth - depth, settings, inspect);
      return typeof made === 'string' ? made : show(made, settings, depth, above, column);
    }
    return showObject(value, settings, depth, above, column);
  }

  function nameOf(value) {
    for (let proto = Object.getPrototypeOf(value), i = 0; proto && i < 20; proto = Object.getPrototypeOf(proto), i++) {
      const own = Object.getOwnPropertyDescriptor(proto, 'constructor');
      if (own && typeof own.value === 'function' && own.value.name) return own.value.name;
    }
    return null;
  }

  function showFunction(value) {
    const source = Function.prototype.toString.call(value);
    const kind = /^class\b/.test(source) ? 'class' : tag(value);
    const name = typeof value.name === 'string' && value.name ? value.name : '';
    if (kind === 'class') {
      const parent = Object.getPrototypeOf(value);
      return `[class ${name || '(anonymous)'}${typeof parent === 'function' && parent.name ? ` extends ${parent.name}` : ''}]`;
    }
    return `[${kind}${name ? `: ${name}` : ' (anonymous)'}]`;
  }

  function showError(value, settings, depth, above) {
    let head = `${value}`;
    const own = typeof value.stack === 'string' ? value.stack.trimEnd() : '';
    let text = own.startsWith(head) ? own : own ? `${head}\n${own}` : `[${head}]`;
    if (value.cause !== undefined) text += `\n  [cause]: ${show(value.cause, settings, depth + 1, [...above, value], 2)}`;
    if (Array.isArray(value.errors)) text += `\n  [errors]: ${show(value.errors, settings, depth + 1, [...above, value], 2)}`;
    return depth ? text.replaceAll('\n', '\n' + '  '.repeat(depth)) : text;
  }

  function showObject(value, settings, depth, above, column) {
    const kind = tag(value), name = nameOf(value);
    const keys = Reflect.ownKeys(value).filter((key) => settings.showHidden || Object.prototype.propertyIsEnumerable.call(value, key));
    const isArray = Array.isArray(value), isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
    let prefix = '', open = '{', close = '}', items = [], plain = keys;
    const inner = [...above, value];
    const next = (item, wide = 0) => show(item, settings, depth + 1, inner, column + 2 + wide);
    const more = (count) => { if (count > 0) items.push(`... ${count} more item${count > 1 ? 's' : ''}`); };
    const tooDeep = depth > settings.depth;

    if (value instanceof Error || kind === 'Error') {
      prefix = showError(value, settings, depth, above);
      plain = keys.filter((key) => !['stack', 'message', 'cause', 'errors', 'name'].includes(key));
      if (!plain.length) return prefix;
    } else if (typeof value === 'function') {
      prefix = showFunction(value);
      if (!keys.length) return prefix;
    } else if (value instanceof RegExp) {
      prefix = RegExp.prototype.toString.call(value);
      if (!keys.length) return prefix;
    } else if (value instanceof Date) {
      prefix = Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
      if (!keys.length) return prefix;
    } else if (kind === 'Promise') {
      const [state, result] = $.promise(value);
      prefix = 'Promise';
      items.push(state === 0 ? '<pending>' : state === 2 ? `<rejected> ${next(result)}` : next(result));
    } else if (value instanceof Map) {
      prefix = `Map(${value.size})`;
      if (!tooDeep) for (const [key, item] of value) { if (items.length >= settings.maxArrayLength) break; items.push(`${next(key)} => ${next(item)}`); }
      more(tooDeep ? 0 : value.size - items.length);
    } else if (value instanceof Set) {
      prefix = `Set(${value.size})`;
      if (!tooDeep) for (const item of value) { if (items.length >= settings.maxArrayLength) break; items.push(next(item)); }
      more(tooDeep ? 0 : value.size - items.length);
    } else if (isArray || isTyped) {
      if (isTyped || (name && name !== 'Array')) prefix = `${name ?? kind}(${value.length})`;
      open = '[', close = ']';
      plain = keys.filter((key) => typeof key === 'symbol' || !/^\d+$/.test(key));
      if (!tooDeep) showItems(value, items, settings.maxArrayLength, next, more);
    } else if (value instanceof ArrayBuffer) {
      prefix = 'ArrayBuffer';
      items.push(`byteLength: ${value.byteLength}`);
    } else if (value instanceof WeakMap || value instanceof WeakSet) {
      return `${kind} { <items unknown> }`;
    } else if (['String', 'Number', 'Boolean', 'BigInt', 'Symbol'].includes(kind) && typeof value.valueOf() !== 'object') {
      prefix = `[${kind}: ${show(value.valueOf(), settings, 1, [], 0)}]`;
      plain = keys.filter((key) => typeof key === 'symbol' || !/^\d+$/.test(key));
      if (!plain.length) return prefix;
    } else if (name === null) {
      prefix = '[Object: null prototype]';
    } else if (name !== 'Object') {
      prefix = name;
    }
    if (kind !== name && !['Object', 'Array', 'Error', 'Function'].includes(kind) && Object.hasOwn(value, Symbol.toStringTag)) prefix += ` [${kind}]`;

    if (tooDeep && (plain.length || isArray || isTyped)) return `[${prefix || (isArray ? 'Array' : 'Object')}]`;
    for (const key of plain) items.push(`${showKey(key)}: ${showMember(value, key, next)}`);
    return join(prefix ? `${prefix} ` : '', open, close, items, isArray || isTyped, settings, column, depth);
  }

  function showItems(value, items, max, next, more) {
    let empty = 0, count = 0;
    const flush = () => { if (empty) items.push(`<${empty} empty item${empty > 1 ? 's' : ''}>`); empty = 0; };
    for (let i = 0; i < value.length; i++) {
      if (!(i in value)) {
        if (empty > 100000) break;
        empty++;
        continue;
      }
      flush();
      if (count++ >= max) { more(value.length - i); return; }
      items.push(next(value[i]));
    }
    flush();
  }

  const showKey = (key) => (typeof key === 'symbol' ? `[${key.toString()}]` : isName(key) ? key : quote(key));
  function showMember(value, key, next) {
    const own = Object.getOwnPropertyDescriptor(value, key);
    if (!own || 'value' in own) return next(own ? own.value : value[key], String(key.description ?? key).length + 2);
    return own.get ? (own.set ? '[Getter/Setter]' : '[Getter]') : '[Setter]';
  }

  function join(prefix, open, close, items, isList, settings, column, depth) {
    if (!items.length) return `${prefix}${open}${close}`;
    const line = `${prefix}${open} ${items.join(', ')} ${close}`;
    const isShort = line.length + column <= settings.breakLength && !line.includes('\n');
    if (isShort && (!isList || items.length <= 6)) return line;
    const pad = '  '.repeat(depth + 1);
    let lines = items;
    if (isList && items.length > 6 && items.every((item) => item.length <= 16 && !item.includes('\n'))) {
      const wide = Math.max(...items.map((item) => item.length)) + 2;
      const across = Math.max(1, Math.min(Math.floor(76 / wide), Math.ceil(Math.sqrt(2.5 * wide * items.length) / wide), 16));
      const numbers = items.every((item) => /^-?[\d.]+n?$/.test(item) || item.startsWith('...'));
      lines = [];
      for (let i = 0; i < items.length; i += across) {
        lines.push(items.slice(i, i + across).map((item, j, all) => {
          const isLast = i + j === items.length - 1;
          const text = isLast ? item : `${item},`;
          return numbers ? text.padStart(wide - 1) : j === all.length - 1 ? text : text.padEnd(wide - 1);
        }).join(' ').trimEnd());
      }
      return `${prefix}${open}\n${pad}${lines.join(`\n${pad}`)}\n${pad.slice(2)}${close}`;
    }
    if (isShort) return line;
    return `${prefix}${open}\n${pad}${lines.join(`,\n${pad}`)}\n${pad.slice(2)}${close}`;
  }

  function format(first, ...rest) {
    let text = '';
    if (typeof first === 'string') {
      let at = 0;
      text = first.replace(/%[sdifjoOc%]/g, (mark) => {
        if (mark === '%%') return rest.length || at ? '%' : '%%';
        if (at >= rest.length) return mark;
        const value = rest[at++];
        switch (mark) {
          case '%s': return typeof value === 'string' ? value : typeof value === 'object' && value !== null ? inspect(value, { depth: 0 }) : show(value, {}, 0, [], 0);
          case '%d': return typeof value === 'bigint' ? `${value}n` : typeof value === 'symbol' ? 'NaN' : String(Number(value));
          case '%i': return typeof value === 'bigint' ? `${value}n` : String(parseInt(value, 10));
          case '%f': return String(parseFloat(value));
          case '%j': try { return JSON.stringify(value); } catch { return '[Circular]'; }
          case '%c': return '';
          default: return inspect(value, mark === '%o' ? { depth: 4 } : {});
        }
      });
      rest = rest.slice(at);
    } else {
      text = inspect(first);
    }
    for (const value of rest) text += ` ${typeof value === 'string' ? value : inspect(value)}`;
    return text;
  }

  function table(rows, columns) {
    if (typeof rows !== 'object' || rows === null) return format(rows);
    const entries = rows instanceof Map ? [...rows] : rows instanceof Set ? [...rows].map((item, i) => [i, item]) : Object.entries(rows);
    const names = columns ? [...columns] : [];
    let hasValues = false;
    for (const [, row] of entries) {
      if (typeof row !== 'object' || row === null) hasValues = true;
      else if (!columns) for (const key of Object.keys(row)) if (!names.includes(key)) names.push(key);
    }
    const head = ['(index)', ...names, ...(hasValues ? ['Values'] : [])];
    const lines = entries.map(([index, row]) => {
      const isRow = typeof row === 'object' && row !== null;
      return [String(index), ...names.map((key) => (isRow && key in row ? inspect(row[key], { depth: 0 }) : '')),
        ...(hasValues ? [isRow ? '' : inspect(row)] : [])];
    });
    const wide = head.map((name, i) => lines.reduce((most, line) => Math.max(most, line[i].length), name.length) + 2);
    const rule = (left, middle, right) => left + wide.map((n) => '─'.repeat(n)).join(middle) + right;
    const row = (cells) => `│${cells.map((cell, i) => ` ${cell}`.padEnd(wide[i])).join('│')}│`;
    return [rule('┌', '┬', '┐'), row(head), rule('├', '┼', '┤'), ...lines.map(row), rule('└', '┴', '┘')].join('\n');
  }

  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return $.encode(String(text)); }
    encodeInto(text, target) {
      const bytes = $.encode(String(text)).subarray(0, target.length);
      target.set(bytes);
      return { read: String(text).length, written: bytes.length };
    }
  }
  class TextDecoder {
    #label; #fatal;
    constructor(label = 'utf-8', { fatal = false } = {}) {
      this.#label = String(label).toLowerCase();
      this.#fatal = fatal;
      if (!['utf-8', 'utf8', 'latin1', 'iso-8859-1', 'ascii', 'windows-1252', 'utf-16le', 'utf-16'].includes(this.#label)) {
        throw new RangeError(`The encoding "${label}" is not supported`);
      }
    }
    get encoding() { return this.#label === 'utf8' ? 'utf-8' : this.#label; }
    get fatal() { return this.#fatal; }
    decode(data = new Uint8Array(0)) {
      const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      if (this.#label.startsWith('utf-16')) return builtin('buffer').Buffer.from(bytes).toString('utf16le');
      if (!this.#label.startsWith('utf')) return builtin('buffer').Buffer.from(bytes).toString('latin1');
      const text = $.decode(bytes, this.#fatal);
      return text.startsWith('\ufeff') ? text.slice(1) : text;
    }
  }

  function structuredClone(value) {
    const seen = new Map();
    const copy = (from) => {
      if (typeof from === 'function' || typeof from === 'symbol') throw new DOMException(`${String(from)} could not be cloned`, 'DataCloneError');
      if (typeof from !== 'object' || from === null) return from;
      if (seen.has(from)) return seen.get(from);
      const keep = (to) => { seen.set(from, to); return to; };
      if (from instanceof Date) return keep(new Date(from.getTime()));
      if (from instanceof RegExp) return keep(new RegExp(from.source, from.flags));
      if (from instanceof ArrayBuffer) return keep(from.slice(0));
      if (ArrayBuffer.isView(from)) return keep(new from.constructor(from));
      if (from instanceof Map) { const to = keep(new Map()); for (const [key, item] of from) to.set(copy(key), copy(item)); return to; }
      if (from instanceof Set) { const to = keep(new Set()); for (const item of from) to.add(copy(item)); return to; }
      const to = keep(Array.isArray(from) ? new Array(from.length) : from instanceof Error ? Object.assign(new from.constructor(from.message), { stack: from.stack }) : {});
      for (const key of Object.keys(from)) to[key] = copy(from[key]);
      return to;
    };
    return copy(value);
  }

  function isDeepStrictEqual(a, b, seen = []) {
    if (Object.is(a, b)) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || tag(a) !== tag(b)) return false;
    if (seen.some(([x, y]) => x === a && y === b)) return true;
    const next = [...seen, [a, b]];
    if (a instanceof Date) return a.getTime() === b.getTime();
    if (a instanceof RegExp) return String(a) === String(b);
    if (a instanceof Error && (a.message !== b.message || a.name !== b.name)) return false;
    if (a instanceof Map) return a.size === b.size && [...a].every(([key, item]) => b.has(key) && isDeepStrictEqual(item, b.get(key), next));
    if (a instanceof Set) return a.size === b.size && [...a].every((item) => b.has(item) || [...b].some((other) => isDeepStrictEqual(item, other, next)));
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isDeepStrictEqual(a[key], b[key], next));
  }

  return {
    inspect, format, table, isDeepStrictEqual, TextEncoder, TextDecoder, structuredClone,
    promisify: (call) => (...args) => new Promise((done, fail) => call(...args, (error, value) => (error ? fail(error) : done(value)))),
    callbackify: (call) => (...args) => { const done = args.pop(); call(...args).then((value) => done(null, value), done); },
    deprecate: (call) => call,
    inherits: (child, parent) => { Object.setPrototypeOf(child.prototype, parent.prototype); },
    stripVTControlCharacters: (text) => text.replace(colours, ''),
    isArray: Array.isArray,
    types: {
      isPromise: (value) => tag(value) === 'Promise', isRegExp: (value) => value instanceof RegExp, isDate: (value) => value instanceof Date,
      isMap: (value) => value instanceof Map, isSet: (value) => value instanceof Set, isNativeError: (value) => value instanceof Error,
      isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView), isUint8Array: (value) => value instanceof Uint8Array,
      isProxy: () => false,
    },
  };
})
