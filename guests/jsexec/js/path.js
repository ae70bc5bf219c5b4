// node:path, the Unix half.
(function ($) {
  'use strict';
  const parts = (path) => String(path).split('/').filter((part) => part && part !== '.');
  function normalize(path) {
    if (!path) return '.';
    const isAbsolute = path[0] === '/', kept = [];
    for (const part of parts(path)) {
      if (part !== '..') kept.push(part);
      else if (kept.length && kept.at(-1) !== '..') kept.pop();
      else if (!isAbsolute) kept.push('..');
    }
    const text = (isAbsolute ? '/' : '') + kept.join('/');
    return (text || '.') + (path.endsWith('/') && kept.length ? '/' : '');
  }
  const join = (...all) => normalize(all.filter(Boolean).join('/'));
  function resolve(...all) {
    let path = '';
    for (const part of all.reverse()) {
      if (!part) continue;
      path = path ? `${part}/${path}` : String(part);
      if (path[0] === '/') break;
    }
    const whole = normalize(path[0] === '/' ? path : `${$.cwd}/${path}`);
    return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
  }
  function dirname(path) {
    path = path.replace(/\/+$/, '') || (path ? '/' : '');
    const at = path.lastIndexOf('/');
    return at < 0 ? '.' : path.slice(0, at).replace(/\/+$/, '') || '/';
  }
  function basename(path, suffix = '') {
    const name = path.replace(/\/+$/, '').slice(path.replace(/\/+$/, '').lastIndexOf('/') + 1);
    return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
  }
  function extname(path) {
    const name = basename(path), at = name.lastIndexOf('.');
    return at > 0 ? name.slice(at) : '';
  }
  function relative(from, to) {
    const a = parts(resolve(from)), b = parts(resolve(to));
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
  }
  const path = {
    sep: '/', delimiter: ':', normalize, join, resolve, dirname, basename, extname, relative,
    isAbsolute: (text) => text[0] === '/',
    parse(text) {
      const base = basename(text), ext = extname(text), dir = dirname(text);
      return { root: text[0] === '/' ? '/' : '', dir: dir === '.' && !text.startsWith('.') ? '' : dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
    },
    format: ({ root = '', dir = '', base = '', name = '', ext = '' }) => {
      const file = base || name + ext;
      return dir ? (dir === root ? dir + file : `${dir}/${file}`) : root + file;
    },
    toNamespacedPath: (text) => text,
  };
  path.posix = path;
  return path;
})
