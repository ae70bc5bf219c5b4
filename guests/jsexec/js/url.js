// URL and URLSearchParams, as far as scripts use them on ordinary addresses.
(function ($) {
  'use strict';
  const usual = { 'http:': '80', 'https:': '443', 'ftp:': '21', 'ws:': '80', 'wss:': '443', 'file:': '' };
  const encodeIn = (text, keep) => text.replace(keep, (c) => encodeURIComponent(c));
  const bad = (text) => Object.assign(new TypeError(`Invalid URL: ${text}`), { code: 'ERR_INVALID_URL', input: text });
  const tidy = (path) => {
    const kept = [];
    const parts = path.split('/').slice(1);
    parts.forEach((part, i) => {
      const isLast = i === parts.length - 1;
      if (part === '..' || part.toLowerCase() === '%2e%2e') { kept.pop(); if (isLast) kept.push(''); }
      else if (part === '.' || part.toLowerCase() === '%2e') { if (isLast) kept.push(''); }
      else kept.push(part);
    });
    return `/${kept.join('/')}`;
  };
  const encodeForm = (text) => encodeURIComponent(text).replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`).replaceAll('%20', '+');
  const decodeForm = (text) => { text = text.replaceAll('+', ' '); try { return decodeURIComponent(text); } catch { return text; } };

  class URLSearchParams {
    #list = []; #changed = () => {};
    constructor(init = '', changed) {
      if (changed === $) this.#changed = arguments[2];
      if (typeof init === 'string') {
        for (const pair of init.replace(/^\?/, '').split('&')) {
          if (!pair) continue;
          const at = pair.indexOf('=');
          this.#list.push(at < 0 ? [decodeForm(pair), ''] : [decodeForm(pair.slice(0, at)), decodeForm(pair.slice(at + 1))]);
        }
      } else if (init?.[Symbol.iterator]) {
        for (const [key, value] of init) this.#list.push([String(key), String(value)]);
      } else {
        for (const [key, value] of Object.entries(init ?? {})) this.#list.push([key, String(value)]);
      }
    }
    get size() { return this.#list.length; }
    get(name) { return this.#list.find(([key]) => key === name)?.[1] ?? null; }
    getAll(name) { return this.#list.filter(([key]) => key === name).map(([, value]) => value); }
    has(name, value) { return this.#list.some(([key, own]) => key === name && (value === undefined || own === value)); }
    append(name, value) { this.#list.push([String(name), String(value)]); this.#changed(); }
    set(name, value) {
      const at = this.#list.findIndex(([key]) => key === name);
      if (at < 0) return this.append(name, value);
      this.#list = this.#list.filter(([key], i) => key !== name || i === at);
      this.#list[at][1] = String(value);
      this.#changed();
    }
    delete(name) { this.#list = this.#list.filter(([key]) => key !== name); this.#changed(); }
    sort() { this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#changed(); }
    forEach(call) { for (const [key, value] of this.#list) call(value, key, this); }
    *entries() { yield* this.#list.map((pair) => [...pair]); }
    *keys() { for (const [key] of this.#list) yield key; }
    *values() { for (const [, value] of this.#list) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#list.map(([key, value]) => `${encodeForm(key)}=${encodeForm(value)}`).join('&'); }
  }

  class URL {
    #query;
    constructor(text, base) {
      text = String(text).trim();
      const whole = /^([a-z][a-z0-9+.-]*:)([\s\S]*)$/i.exec(text);
      if (!whole) {
        if (base === undefined) throw bad(text);
        this.#relative(text, base instanceof URL ? base : new URL(base));
      } else {
        this.#absolute(whole[1].toLowerCase(), whole[2], text);
      }
    }
    static canParse(text, base) { try { new URL(text, base); return true; } catch { return false; } }
    static parse(text, base) { try { return new URL(text, base); } catch { return null; } }
    #absolute(protocol, rest, text) {
      const special = protocol in usual;
      if (special) rest = rest.replace(/^[^?#]*/, (part) => part.replaceAll('\\', '/'));
      const hash = rest.indexOf('#'), tail = hash < 0 ? '' : rest.slice(hash);
      rest = hash < 0 ? rest : rest.slice(0, hash);
      const query = rest.indexOf('?'), search = query < 0 ? '' : rest.slice(query);
      rest = query < 0 ? rest : rest.slice(0, query);
      Object.assign(this, { protocol, username: '', password: '', hostname: '', port: '' });
      if (rest.startsWith('//')) {
        const end = rest.indexOf('/', 2);
        const authority = end < 0 ? rest.slice(2) : rest.slice(2, end);
        const found = /^(?:([^:@]*)(?::([^@]*))?@)?(\[[0-9a-f:.]*\]|[^:]*)(?::(\d*))?$/i.exec(authority);
        if (!found || (special && protocol !== 'file:' && !found[3]) || /[\s<>^|]/.test(found[3]) || Number(found[4]) > 65535) throw bad(text);
        this.username = found[1] ?? '';
        this.password = found[2] ?? '';
        this.hostname = special ? found[3].toLowerCase() : found[3];
        this.port = found[4] && found[4] !== usual[protocol] ? String(Number(found[4])) : '';
        rest = end < 0 ? '' : rest.slice(end);
      } else if (special && protocol !== 'file:') {
        throw bad(text);
      }
      this.#rest(special ? tidy(rest || '/') : rest, search, tail);
    }
    #relative(text, base) {
      if (text.startsWith('//')) return this.#absolute(base.protocol, text, text);
      const [, path, search, hash] = /^([^?#]*)(\?[^#]*)?(#[\s\S]*)?$/.exec(text);
      for (const name of ['protocol', 'username', 'password', 'hostname', 'port']) this[name] = base[name];
      const folder = base.pathname.slice(0, base.pathname.lastIndexOf('/') + 1);
      const whole = !path ? base.pathname : tidy(path.startsWith('/') ? path : folder + path);
      this.#rest(whole, search ?? (path ? '' : base.search), hash ?? '');
    }
    #rest(path, search, hash) {
      this.pathname = encodeIn(path, /[^\x21\x24-\x3b\x3d\x40-\x5f\x61-\x7a\x7c\x7e]/gu);
      this.hash = hash.length > 1 ? encodeIn(hash, /[^\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7e]/gu) : '';
      this.search = search.length > 1 ? encodeIn(search, /[^\x21\x24-\x26\x28-\x3b\x3d\x3f-\x7e]/gu) : '';
      for (const name of ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'hash']) {
        Object.defineProperty(this, name, { value: this[name], writable: true, enumerable: true });
      }
    }
    get search() { return this.#search; }
    set search(text) { text = String(text); this.#search = text && text !== '?' ? (text.startsWith('?') ? text : `?${text}`) : ''; this.#query = undefined; }
    #search = '';
    get searchParams() {
      const changed = () => { const text = this.#query.toString(); this.#search = text ? `?${text}` : ''; };
      return (this.#query ??= new URLSearchParams(this.#search, $, changed));
    }
    get host() { return this.hostname + (this.port ? `:${this.port}` : ''); }
    set host(text) { [this.hostname, this.port = ''] = String(text).split(':'); }
    get origin() { return this.protocol in usual && this.protocol !== 'file:' ? `${this.protocol}//${this.host}` : 'null'; }
    get href() {
      const user = this.username ? `${this.username}${this.password ? `:${this.password}` : ''}@` : '';
      const slashes = this.hostname || this.protocol === 'file:' ? `//${user}${this.host}` : '';
      return this.protocol + slashes + this.pathname + this.search + this.hash;
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
    [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) {
      const { href, origin, protocol, host, pathname, search, hash } = this;
      return `URL ${inspect({ href, origin, protocol, host, pathname, search, hash })}`;
    }
  }
  return {
    URL, URLSearchParams,
    fileURLToPath: (url) => decodeURIComponent(new URL(url).pathname),
    pathToFileURL: (path) => new URL(`file://${path.startsWith('/') ? '' : `${$.cwd}/`}${path}`),
    parse: (text) => new URL(text, 'http://localhost'),
  };
})
