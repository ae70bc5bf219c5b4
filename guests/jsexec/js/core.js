// What every script finds: modules, console, timers, process. Evaluated once at the start, so it only defines; what is
// larger is loaded when it is first asked for. $ is the native side (native.c), seen by these files only.
(function ($) {
  'use strict';
  const { defineProperty, freeze } = Object;
  const put = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, configurable: true, enumerable: false });
  const exportsOf = new Map();

  const absent = {
    child_process: 'starts no programs: use the bash tool',
    cluster: 'starts no programs: use the bash tool',
    worker_threads: 'has one thread',
    http: 'has no network: use the web_fetch tool',
    https: 'has no network: use the web_fetch tool',
    http2: 'has no network: use the web_fetch tool',
    net: 'has no network: use the web_fetch tool',
    dns: 'has no network: use the web_fetch tool',
    tls: 'has no network: use the web_fetch tool',
    dgram: 'has no network: use the web_fetch tool',
    zlib: 'does not have it',
    stream: 'does not have it',
    readline: 'does not have it: read /dev/stdin with fs.readFileSync',
    vm: 'does not have it',
  };
  const known = ['assert', 'buffer', 'console', 'crypto', 'events', 'fs', 'fs/promises', 'module', 'os', 'path',
    'perf_hooks', 'process', 'timers', 'timers/promises', 'url', 'util'];

  function fail(code, text) {
    const error = new Error(text);
    error.code = code;
    return error;
  }

  // A built-in module by its name without "node:"
  function builtin(name) {
    if (exportsOf.has(name)) return exportsOf.get(name);
    let made;
    switch (name) {
      case 'process': made = process; break;
      case 'console': made = console; break;
      case 'timers': made = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate }; break;
      case 'timers/promises': made = {
        setTimeout: (ms, value) => new Promise((done) => setTimeout(done, ms, value)),
        setImmediate: (value) => new Promise((done) => setImmediate(done, value)),
      }; break;
      case 'perf_hooks': made = { performance }; break;
      case 'module': made = { createRequire: (from) => requireFrom(pathOf(from)), builtinModules: known.slice() }; break;
      case 'fs/promises': made = builtin('fs').promises; break;
      case 'assert/strict': made = builtin('assert'); break;
      case 'path/posix': made = builtin('path'); break;
      default: {
        const source = known.includes(name) ? $.source(name) : undefined;
        if (!source) {
          throw fail('ERR_MODULE_NOT_FOUND', Object.hasOwn(absent, name)
            ? `There is no module "${name}" here: jsexec ${absent[name]}.`
            : `There is no package "${name}" here: jsexec has no packages, only files of the root ("./x.js") and ${known.join(', ')}.`);
        }
        made = source($, builtin);
      }
    }
    exportsOf.set(name, made);
    return made;
  }

  // ---- require ----

  const files = new Map();
  const pathOf = (from) => (String(from).startsWith('file://') ? decodeURIComponent(String(from).slice(7)) : String(from));
  const folderOf = (path) => path.slice(0, path.lastIndexOf('/') + 1) || '/';

  function loadFile(path) {
    const kept = files.get(path);
    if (kept) return kept.exports;
    const text = $.decode($.read(path));
    const module = { exports: {}, id: path, filename: path, loaded: false };
    files.set(path, module);
    try {
      if (path.endsWith('.json')) {
        try {
          module.exports = JSON.parse(text);
        } catch (error) {
          error.message = `${path}: ${error.message}`;
          throw error;
        }
      } else {
        module.require = requireFrom(path);
        $.wrap(text, path).call(module.exports, module.exports, module.require, module, path, folderOf(path).slice(0, -1) || '/');
      }
    } catch (error) {
      files.delete(path);
      throw error;
    }
    module.loaded = true;
    return module.exports;
  }

  function requireFrom(path) {
    const require = (name) => {
      name = String(name);
      if (name.startsWith('node:')) return builtin(name.slice(5));
      if (!/^\.{0,2}\//.test(name) && name !== '.' && name !== '..') return builtin(name);
      return loadFile($.resolve(path, name));
    };
    require.resolve = (name) => (/^\.{0,2}\//.test(name) ? $.resolve(path, name) : name);
    require.cache = {};
    return require;
  }

  // ---- console ----

  const counts = new Map();
  const clocks = new Map();
  let indent = '';

  function format(args) {
    if (args.length === 1 && typeof args[0] === 'string') return args[0];
    for (let i = 0; i < args.length; i++) {
      if (typeof args[i] !== 'string' || (i === 0 && args[0].includes('%'))) return builtin('util').format(...args);
    }
    return args.join(' ');
  }
  function print(fd, args) {
    let text = format(args);
    if (indent) text = indent + text.replaceAll('\n', `\n${indent}`);
    $.write(fd, `${text}\n`);
  }
  const out = (...args) => print(1, args);
  const err = (...args) => print(2, args);
  const seconds = (ms) => (ms < 1000 ? `${ms.toFixed(3)}ms` : `${(ms / 1000).toFixed(3)}s`);
  const console = {
    log: out, info: out, debug: out, warn: err, error: err,
    trace: (...args) => err(`Trace: ${format(args)}\n${new Error().stack.split('\n').slice(1).join('\n')}`.trimEnd()),
    dir: (value, options) => out(builtin('util').inspect(value, options)),
    table: (rows, columns) => out(builtin('util').table(rows, columns)),
    assert: (good, ...args) => { if (!good) err(args.length ? `Assertion failed: ${format(args)}` : 'Assertion failed'); },
    count: (label = 'default') => { counts.set(label, (counts.get(label) ?? 0) + 1); out(`${label}: ${counts.get(label)}`); },
    countReset: (label = 'default') => { counts.delete(label); },
    time: (label = 'default') => { clocks.set(label, performance.now()); },
    timeLog: (label = 'default', ...args) => { if (clocks.has(label)) out(`${label}: ${seconds(performance.now() - clocks.get(label))}`, ...args); },
    timeEnd: (label = 'default') => { console.timeLog(label); clocks.delete(label); },
    group: (...args) => { if (args.length) out(...args); indent += '  '; },
    groupEnd: () => { indent = indent.slice(2); },
  };
  console.groupCollapsed = console.group;
  console.dirxml = console.log;

  // ---- timers ----

  class Timeout {
    #id;
    constructor(id) { this.#id = id; }
    ref() { return this; }
    unref() { $.clear(this.#id); return this; }
    hasRef() { return true; }
    [Symbol.toPrimitive]() { return this.#id; }
  }
  function timer(call, ms, repeats, args) {
    if (typeof call !== 'function') throw new TypeError('The first argument of a timer must be a function');
    ms = Number(ms);
    return new Timeout($.timer(args.length ? () => call(...args) : call, ms >= 1 && ms <= 2147483647 ? ms : repeats ? 1 : 0, repeats));
  }
  const setTimeout = (call, ms, ...args) => timer(call, ms, false, args);
  const setInterval = (call, ms, ...args) => timer(call, ms, true, args);
  const setImmediate = (call, ...args) => timer(call, 0, false, args);
  const clear = (id) => { if (id !== undefined && id !== null) $.clear(Number(id)); };
  const clearTimeout = clear, clearInterval = clear, clearImmediate = clear;

  // ---- process ----

  const listeners = new Map();
  const stream = (fd) => ({
    fd, isTTY: false, columns: 80, writable: true,
    write(data, encoding, done) {
      $.write(fd, typeof data === 'string' ? data : $.decode(data));
      const call = typeof encoding === 'function' ? encoding : done;
      if (call) queueMicrotask(call);
      return true;
    },
    end(data) { if (data !== undefined) this.write(data); },
    on() { return this; }, once() { return this; },
  });
  const stdin = {
    fd: 0, isTTY: false, encoding: null,
    setEncoding(name) { this.encoding = name; return this; },
    on(event, call) {
      if (event === 'data') setImmediate(() => { const text = $.decode($.stdin()); if (text) call(text); });
      if (event === 'end' || event === 'close') setImmediate(() => setImmediate(call));
      return this;
    },
    once(event, call) { return this.on(event, call); },
    resume() { return this; }, pause() { return this; },
    async *[Symbol.asyncIterator]() { const text = $.decode($.stdin()); if (text) yield text; },
  };
  const process = {
    argv: $.argv.slice(), argv0: 'node', execArgv: [], execPath: '/usr/bin/node',
    env: $.env, pid: 1, ppid: 0, platform: 'linux', arch: 'wasm32', title: 'node', version: 'v22.0.0',
    versions: freeze({ node: '22.0.0', quickjs: $.version }), exitCode: undefined,
    stdout: stream(1), stderr: stream(2), stdin,
    cwd: () => $.cwd,
    chdir: () => { throw fail('ENOSYS', 'process.chdir is not possible here'); },
    exit: (code = process.exitCode) => $.exit(Number(code ?? 0) & 255),
    abort: () => $.exit(134),
    on(event, call) { listeners.set(event, [...(listeners.get(event) ?? []), call]); return process; },
    off(event) { listeners.delete(event); return process; },
    emit(event, ...args) { const calls = listeners.get(event) ?? []; calls.forEach((call) => call(...args)); return calls.length > 0; },
    emitWarning: (text) => err(`Warning: ${text?.message ?? text}`),
    nextTick: (call, ...args) => queueMicrotask(() => call(...args)),
    uptime: () => performance.now() / 1000,
    hrtime: Object.assign((since) => {
      const ns = BigInt(Math.round(performance.now() * 1e6)) - (since ? BigInt(since[0]) * 1000000000n + BigInt(since[1]) : 0n);
      return [Number(ns / 1000000000n), Number(ns % 1000000000n)];
    }, { bigint: () => BigInt(Math.round(performance.now() * 1e6)) }),
    memoryUsage: () => ({ rss: $.memory(), heapTotal: $.memory(), heapUsed: $.memory(), external: 0, arrayBuffers: 0 }),
    cpuUsage: () => ({ user: Math.round(performance.now() * 1000), system: 0 }),
    getuid: () => 0, getgid: () => 0, umask: () => 0o22,
  };
  process.addListener = process.once = process.on;
  process.removeListener = process.off;

  // ---- the global object ----

  const main = $.main;
  const module = { exports: {}, id: '.', filename: main, loaded: false };
  const require = requireFrom(main);
  require.main = module;
  const values = {
    global: globalThis, console, process, require, module, exports: module.exports, __filename: main,
    __dirname: folderOf(main).slice(0, -1) || '/', print: out,
    setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate,
    fetch: () => Promise.reject(new Error('jsexec has no network: use the web_fetch tool')),
  };
  for (const name of Object.keys(values)) put(globalThis, name, values[name]);
  for (const [module, names] of [
    ['util', ['TextEncoder', 'TextDecoder', 'structuredClone']], ['buffer', ['Buffer', 'Blob']],
    ['url', ['URL', 'URLSearchParams']], ['events', ['Event', 'EventTarget', 'AbortController', 'AbortSignal']],
    ['crypto', ['crypto']],
  ]) {
    for (const name of names) {
      defineProperty(globalThis, name, {
        configurable: true, enumerable: false,
        get() { const value = builtin(module)[name === 'crypto' ? 'webcrypto' : name]; put(globalThis, name, value); return value; },
        set(value) { put(globalThis, name, value); },
      });
    }
  }

  // What the native side calls
  return {
    builtin,
    loadFile,
    inspect: (value) => builtin('util').inspect(value),
    print: out,
    // true: somebody listened
    rejected: (reason) => process.emit('unhandledRejection', reason, undefined),
    uncaught: (error) => process.emit('uncaughtException', error, 'uncaughtException'),
    exiting: (code) => { process.emit('exit', process.exitCode ?? code); return process.exitCode ?? code; },
  };
})
