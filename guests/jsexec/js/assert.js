// node:assert.
(function ($, builtin) {
  'use strict';
  const { inspect, isDeepStrictEqual } = builtin('util');
  class AssertionError extends Error {
    constructor({ message, actual, expected, operator }) {
      super(message);
      Object.assign(this, { code: 'ERR_ASSERTION', actual, expected, operator });
    }
    get name() { return 'AssertionError'; }
  }
  function fail(message, usual, actual, expected, operator) {
    if (message instanceof Error) throw message;
    throw new AssertionError({ message: message ?? usual, actual, expected, operator });
  }
  const both = (words, a, b) => `${words}:\n${inspect(a)}\nshould be\n${inspect(b)}`;
  function loosely(a, b) {
    if (a == b || (a !== a && b !== b)) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && loosely(a[key], b[key]));
  }
  function fits(error, wanted, message) {
    if (wanted === undefined || typeof wanted === 'string') return;
    if (wanted instanceof RegExp) { if (!wanted.test(String(error))) fail(message, `The error does not match ${wanted}: ${error}`, error, wanted, 'throws'); return; }
    if (typeof wanted === 'function') {
      if (wanted.prototype !== undefined && error instanceof wanted) return;
      if (wanted === Error || Error.isPrototypeOf(wanted)) throw error;
      if (wanted.call({}, error) !== true) fail(message, 'The function that judges the error did not return true', error, wanted, 'throws');
      return;
    }
    for (const key of Object.keys(wanted)) {
      const good = wanted[key] instanceof RegExp && typeof error[key] === 'string' ? wanted[key].test(error[key]) : isDeepStrictEqual(error[key], wanted[key]);
      if (!good) fail(message, both(`The error's ${key}`, error[key], wanted[key]), error, wanted, 'throws');
    }
  }
  const ok = (value, message) => { if (!value) fail(message, `The value is not true: ${inspect(value)}`, value, true, '=='); };
  const assert = Object.assign((value, message) => ok(value, message), {
    ok, AssertionError,
    equal: (a, b, message) => { if (!(a == b || (a !== a && b !== b))) fail(message, `${inspect(a)} == ${inspect(b)}`, a, b, '=='); },
    notEqual: (a, b, message) => { if (a == b) fail(message, `${inspect(a)} != ${inspect(b)}`, a, b, '!='); },
    strictEqual: (a, b, message) => { if (!Object.is(a, b)) fail(message, both('The values are not strictly equal', a, b), a, b, 'strictEqual'); },
    notStrictEqual: (a, b, message) => { if (Object.is(a, b)) fail(message, `The values are the same: ${inspect(a)}`, a, b, 'notStrictEqual'); },
    deepEqual: (a, b, message) => { if (!loosely(a, b)) fail(message, both('The values are not deeply equal', a, b), a, b, 'deepEqual'); },
    deepStrictEqual: (a, b, message) => { if (!isDeepStrictEqual(a, b)) fail(message, both('The values are not deeply equal', a, b), a, b, 'deepStrictEqual'); },
    notDeepStrictEqual: (a, b, message) => { if (isDeepStrictEqual(a, b)) fail(message, `The values are deeply equal: ${inspect(a)}`, a, b, 'notDeepStrictEqual'); },
    notDeepEqual: (a, b, message) => { if (loosely(a, b)) fail(message, `The values are deeply equal: ${inspect(a)}`, a, b, 'notDeepEqual'); },
    match: (text, pattern, message) => { if (!pattern.test(text)) fail(message, `${inspect(text)} does not match ${pattern}`, text, pattern, 'match'); },
    doesNotMatch: (text, pattern, message) => { if (pattern.test(text)) fail(message, `${inspect(text)} matches ${pattern}`, text, pattern, 'doesNotMatch'); },
    fail: (message) => fail(message, 'Failed', undefined, undefined, 'fail'),
    ifError: (value) => { if (value !== null && value !== undefined) throw value; },
    throws(call, wanted, message) {
      let error, threw = false;
      try { call(); } catch (caught) { error = caught; threw = true; }
      if (!threw) fail(typeof wanted === 'string' ? wanted : message, 'An error was expected, and none was thrown', undefined, wanted, 'throws');
      fits(error, wanted, message);
    },
    doesNotThrow(call, message) { try { call(); } catch (error) { fail(typeof message === 'string' ? message : undefined, `An error was thrown: ${error}`, error, undefined, 'doesNotThrow'); } },
    async rejects(promise, wanted, message) {
      let error, threw = false;
      try { await (typeof promise === 'function' ? promise() : promise); } catch (caught) { error = caught; threw = true; }
      if (!threw) fail(typeof wanted === 'string' ? wanted : message, 'A rejection was expected, and there was none', undefined, wanted, 'rejects');
      fits(error, wanted, message);
    },
    async doesNotReject(promise) { await (typeof promise === 'function' ? promise() : promise); },
  });
  assert.strict = Object.assign((value, message) => ok(value, message), assert, {
    equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
  });
  return assert;
})
