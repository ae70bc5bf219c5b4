// A tool of the user's own: its module is read, its default export called with the input. tool.c reads what this returns.
(function (op, input) {
  'use strict';

  function describe(tool) {
    if (tool.descriptor !== undefined) return { content: JSON.stringify(tool.descriptor) };
    return { content: 'there is no description: put NAME.json beside NAME.js, or export const descriptor = {…}', is_error: true };
  }

  const textOf = (value) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2) ?? String(value));
  const wordsOf = (blocks) => blocks.map((block) => block?.text ?? '').join('\n');

  function answerOf(value) {
    if (value === undefined) return {};
    const isAnswer = value !== null && typeof value === 'object' && !Array.isArray(value) && 'content' in value;
    const { content, is_error = false, metadata } = isAnswer ? value : { content: value };
    if (metadata !== undefined && (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata))) {
      throw new TypeError('metadata must be an object');
    }
    const blocks = isAnswer && Array.isArray(content);
    return {
      content: blocks ? wordsOf(content) : textOf(content),
      blocks: blocks ? JSON.stringify(content) : undefined,
      metadata: metadata && JSON.stringify(metadata),
      is_error: Boolean(is_error),
    };
  }

  return import('tool:main').then(async (tool) => {
    if (op === 'describe') return describe(tool);
    const exports = globalThis.module?.exports;
    const call = tool.default ?? (typeof exports === 'function' ? exports : undefined);
    if (call === undefined) return {}; // a script: what it printed is its answer
    if (typeof call !== 'function') throw new TypeError('the default export must be a function of the input');
    return answerOf(await call(input));
  });
})
