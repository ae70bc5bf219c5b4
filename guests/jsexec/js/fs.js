// node:fs over the native file functions. All of them finish at once; the promises and callbacks are only another way to say it.
(function ($, builtin) {
  'use strict';
  const toPath = (path) => {
    if (path instanceof Uint8Array) return $.decode(path);
    if (typeof path === 'object' && path?.href) return decodeURIComponent(path.pathname);
    if (typeof path !== 'string') throw Object.assign(new TypeError(`The path must be a string, not ${path === null ? 'null' : typeof path}`), { code: 'ERR_INVALID_ARG_TYPE' });
    return path.startsWith('file://') ? decodeURIComponent(path.slice(7)) : path;
  };
  const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);
  const bytesOf = (data, encoding) => (typeof data === 'string' ? (encoding && !/^utf-?8$/i.test(encoding) ? builtin('buffer').Buffer.from(data, encoding) : $.encode(data))
    : data instanceof ArrayBuffer ? new Uint8Array(data)
      : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : $.encode(String(data)));
  const isStdin = (path) => path === 0 || path === '/dev/stdin';

  function readFileSync(path, options) {
    const bytes = isStdin(path) ? $.stdin() : $.read(toPath(path));
    const encoding = encodingOf(options);
    if (encoding && /^utf-?8$/i.test(encoding)) return $.decode(bytes);
    const buffer = builtin('buffer').Buffer.from(bytes.buffer);
    return encoding ? buffer.toString(encoding) : buffer;
  }
  function put(path, data, options, mode) {
    if (path === 1 || path === 2 || path === '/dev/stdout' || path === '/dev/stderr') {
      $.write(path === 1 || path === '/dev/stdout' ? 1 : 2, typeof data === 'string' ? data : $.decode(bytesOf(data)));
      return;
    }
    const flag = typeof options === 'object' ? options?.flag : undefined;
    $.put(toPath(path), bytesOf(data, encodingOf(options)), flag === 'a' ? 'a' : flag === 'wx' ? 'x' : mode);
  }

  const types = ['file', 'directory', 'symlink', 'fifo', 'other'];
  class Kind {
    #type;
    constructor(type) { this.#type = types[type] ?? 'other'; }
    isFile() { return this.#type === 'file'; }
    isDirectory() { return this.#type === 'directory'; }
    isSymbolicLink() { return this.#type === 'symlink'; }
    isFIFO() { return this.#type === 'fifo'; }
    isSocket() { return false; }
    isBlockDevice() { return false; }
    isCharacterDevice() { return this.#type === 'other'; }
  }
  class Stats extends Kind {
    constructor([type, size, mtime, atime, ctime, ino, nlink]) {
      super(type);
      Object.assign(this, { dev: 1, ino, mode: type === 1 ? 0o40755 : 0o100644, nlink, uid: 0, gid: 0, size, blksize: 4096,
        blocks: Math.ceil(size / 512), atimeMs: atime, mtimeMs: mtime, ctimeMs: ctime, birthtimeMs: ctime,
        atime: new Date(atime), mtime: new Date(mtime), ctime: new Date(ctime), birthtime: new Date(ctime) });
    }
  }
  class Dirent extends Kind {
    constructor(name, type, parent) { super(type); this.name = name; this.parentPath = this.path = parent; }
  }

  function stat(path, options, follow) {
    try {
      return new Stats($.stat(toPath(path), follow));
    } catch (error) {
      if (options?.throwIfNoEntry === false && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
  function readdirSync(path, options) {
    const top = toPath(path), found = [];
    const visit = (folder, below) => {
      for (const [name, type] of $.list(folder)) {
        found.push(options?.withFileTypes ? new Dirent(name, type, folder) : below + name);
        if (options?.recursive && type === 1) visit(`${folder.replace(/\/$/, '')}/${name}`, `${below}${name}/`);
      }
    };
    visit(top, '');
    return found;
  }
  function mkdirSync(path, options) {
    path = toPath(path);
    if (!options?.recursive) return $.mkdir(path);
    let made;
    const all = builtin('path').resolve(path).split('/').filter(Boolean);
    for (let i = 1; i <= all.length; i++) {
      const step = `/${all.slice(0, i).join('/')}`;
      try {
        $.mkdir(step);
        made ??= step;
      } catch (error) {
        if (!stat(step, { throwIfNoEntry: false }, true)?.isDirectory()) throw error;
      }
    }
    return made;
  }
  function rmSync(path, options) {
    path = toPath(path);
    const found = stat(path, { throwIfNoEntry: !options?.force }, false);
    if (!found) return;
    if (!found.isDirectory()) return void $.unlink(path);
    if (!options?.recursive) throw Object.assign(new Error(`EISDIR: is a directory, rm '${path}' (give recursive: true)`), { code: 'EISDIR', path });
    for (const [name] of $.list(path)) rmSync(`${path}/${name}`, options);
    $.rmdir(path);
  }
  function copyFileSync(from, to, mode) {
    put(toPath(to), $.read(toPath(from)), undefined, mode === 1 ? 'x' : 'w');
  }
  function cpSync(from, to, options) {
    from = toPath(from);
    to = toPath(to);
    if (!stat(from, undefined, true).isDirectory()) {
      mkdirSync(builtin('path').dirname(to), { recursive: true });
      return void copyFileSync(from, to);
    }
    if (!options?.recursive) throw Object.assign(new Error(`EISDIR: is a directory, cp '${from}' (give recursive: true)`), { code: 'EISDIR' });
    mkdirSync(to, { recursive: true });
    for (const [name] of $.list(from)) cpSync(`${from}/${name}`, `${to}/${name}`, options);
  }
  let temporary = 0;
  const sync = {
    readFileSync, readdirSync, mkdirSync, rmSync, copyFileSync, cpSync,
    writeFileSync: (path, data, options) => put(path, data, options, 'w'),
    appendFileSync: (path, data, options) => put(path, data, options, 'a'),
    statSync: (path, options) => stat(path, options, true),
    lstatSync: (path, options) => stat(path, options, false),
    unlinkSync: (path) => $.unlink(toPath(path)),
    rmdirSync: (path, options) => (options?.recursive ? rmSync(path, { ...options, force: false }) : $.rmdir(toPath(path))),
    renameSync: (from, to) => $.rename(toPath(from), toPath(to)),
    symlinkSync: (target, path) => $.symlink(toPath(target), toPath(path)),
    readlinkSync: (path) => $.readlink(toPath(path)),
    realpathSync: (path) => { stat(path, undefined, true); return builtin('path').resolve(toPath(path)); },
    truncateSync: (path, size = 0) => put(path, $.read(toPath(path)).subarray(0, size), undefined, 'w'),
    accessSync: (path) => { stat(path, undefined, true); },
    chmodSync: () => {},
    utimesSync: () => {},
    mkdtempSync: (prefix) => {
      for (;;) {
        const path = `${prefix}${(++temporary).toString(36).padStart(6, '0')}`;
        if (!stat(path, { throwIfNoEntry: false }, false)) { $.mkdir(path); return path; }
      }
    },
  };
  const fs = {
    ...sync, Stats, Dirent,
    existsSync: (path) => { try { return stat(path, { throwIfNoEntry: false }, true) !== undefined; } catch { return false; } },
    constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1 },
    promises: {},
  };
  for (const [name, call] of Object.entries(sync)) {
    const short = name.slice(0, -4);
    fs.promises[short] = async (...args) => call(...args);
    fs[short] = (...args) => {
      const done = args.pop();
      if (typeof done !== 'function') throw new TypeError(`fs.${short} wants a callback last; fs.${name} and fs.promises.${short} do without`);
      fs.promises[short](...args).then((value) => done(null, value), done);
    };
  }
  fs.exists = (path, done) => queueMicrotask(() => done(fs.existsSync(path)));
  fs.promises.constants = fs.constants;
  return fs;
})
