import { expect, test } from 'vitest';
import { showsUnicode, showsLiveView } from './detect-terminal.ts';

const person = { env: { TERM: 'xterm-256color' }, stderrIsTTY: true, stdoutIsTTY: true, json: false };

test.each([
  ['a person at a terminal', {}, true],
  ['no terminal', { stderrIsTTY: false }, false],
  ['a terminal that can only be written on', { env: { TERM: 'dumb' } }, false],
  ['CI', { env: { CI: 'true' } }, false],
  ['CI=false', { env: { CI: 'false' } }, true],
  ['JSON on the same terminal', { json: true }, false],
  ['JSON into a file', { json: true, stdoutIsTTY: false }, true],
])('%s: %j', (_name, parts, requested) => {
  expect(showsLiveView({ ...person, ...parts })).toBe(requested);
});

test.each([
  [{}, true],
  [{ LANG: 'de_DE.UTF-8' }, true],
  [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, false],
  [{ LC_ALL: '', LANG: 'C.utf8' }, true],
  [{ TERM: 'linux', LANG: 'C.UTF-8' }, false],
])('characters beyond ASCII with %j: %s', (env, shown) => {
  expect(showsUnicode(env)).toBe(shown);
});
