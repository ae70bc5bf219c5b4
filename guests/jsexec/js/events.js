// node:events, and the events of the web.
(function () {
  'use strict';
  class EventEmitter {
    #calls = new Map();
    on(event, call) { this.#calls.set(event, [...(this.#calls.get(event) ?? []), { call }]); return this; }
    addListener(event, call) { return this.on(event, call); }
    prependListener(event, call) { this.#calls.set(event, [{ call }, ...(this.#calls.get(event) ?? [])]); return this; }
    once(event, call) { this.#calls.set(event, [...(this.#calls.get(event) ?? []), { call, once: true }]); return this; }
    off(event, call) { this.#calls.set(event, (this.#calls.get(event) ?? []).filter((one) => one.call !== call)); return this; }
    removeListener(event, call) { return this.off(event, call); }
    removeAllListeners(event) { if (event === undefined) this.#calls.clear(); else this.#calls.delete(event); return this; }
    emit(event, ...args) {
      const calls = this.#calls.get(event) ?? [];
      if (!calls.length && event === 'error') throw args[0] instanceof Error ? args[0] : new Error(`Unhandled error. (${args[0]})`);
      for (const one of calls) {
        if (one.once) this.#calls.set(event, this.#calls.get(event).filter((other) => other !== one));
        one.call.apply(this, args);
      }
      return calls.length > 0;
    }
    listeners(event) { return (this.#calls.get(event) ?? []).map((one) => one.call); }
    listenerCount(event) { return (this.#calls.get(event) ?? []).length; }
    eventNames() { return [...this.#calls.keys()].filter((event) => this.#calls.get(event).length); }
    setMaxListeners() { return this; }
  }
  class Event {
    constructor(type, init) { this.type = String(type); this.cancelable = Boolean(init?.cancelable); this.defaultPrevented = false; this.target = null; }
    preventDefault() { if (this.cancelable) this.defaultPrevented = true; }
    stopImmediatePropagation() { this.stopped = true; }
    stopPropagation() {}
  }
  class EventTarget {
    #calls = [];
    addEventListener(type, call, options) { if (call && !this.#calls.some((one) => one.type === type && one.call === call)) this.#calls.push({ type, call, once: Boolean(options?.once) }); }
    removeEventListener(type, call) { this.#calls = this.#calls.filter((one) => one.type !== type || one.call !== call); }
    dispatchEvent(event) {
      event.target = this;
      for (const one of [...this.#calls]) {
        if (one.type !== event.type || event.stopped) continue;
        if (one.once) this.removeEventListener(one.type, one.call);
        if (typeof one.call === 'function') one.call.call(this, event); else one.call.handleEvent(event);
      }
      const own = this[`on${event.type}`];
      if (typeof own === 'function') own.call(this, event);
      return !event.defaultPrevented;
    }
  }
  class AbortSignal extends EventTarget {
    aborted = false; reason = undefined; onabort = null;
    throwIfAborted() { if (this.aborted) throw this.reason; }
    static abort(reason) { const controller = new AbortController(); controller.abort(reason); return controller.signal; }
    static timeout(ms) { const controller = new AbortController(); setTimeout(() => controller.abort(new DOMException('The operation timed out', 'TimeoutError')), ms); return controller.signal; }
  }
  class AbortController {
    signal = new AbortSignal();
    abort(reason = new DOMException('This operation was aborted', 'AbortError')) {
      if (this.signal.aborted) return;
      this.signal.aborted = true;
      this.signal.reason = reason;
      this.signal.dispatchEvent(new Event('abort'));
    }
  }
  const once = (emitter, event) => new Promise((done, fail) => {
    emitter.once(event, (...args) => done(args));
    if (event !== 'error') emitter.once('error', fail);
  });
  return Object.assign(EventEmitter, { EventEmitter, once, Event, EventTarget, AbortController, AbortSignal, defaultMaxListeners: 10 });
})
