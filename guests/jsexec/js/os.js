// node:os: what can be said about a box.
(function ($) {
  'use strict';
  return {
    EOL: '\n', platform: () => 'linux', type: () => 'Linux', arch: () => 'wasm32', release: () => '', endianness: () => 'LE', hostname: () => 'box',
    homedir: () => '/', tmpdir: () => '/tmp', uptime: () => performance.now() / 1000, loadavg: () => [0, 0, 0],
    cpus: () => [{ model: 'WebAssembly', speed: 0, times: {} }], availableParallelism: () => 1,
    totalmem: () => $.memory(), freemem: () => 0, networkInterfaces: () => ({}),
    userInfo: () => ({ username: 'box', uid: 0, gid: 0, homedir: '/', shell: null }),
    constants: { signals: {} },
  };
})
