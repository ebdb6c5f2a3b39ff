import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from './lib/our-files.ts';
import { startWebStack, type WebStack } from './lib/web-stack.ts';

let stack: WebStack;
let preload: string;
beforeAll(async () => {
  stack = await startWebStack();
  // This drill lasts until something ends it: the service does not recover by itself.
  stack.file(
    'lasting.yaml',
    `name: lasting
title: The web server goes away and does not come back
target: target.yaml
steady: { within: 4m }
faults:
  - { kind: command, on: here, run: [touch, ${stack.flag}], undo: [rm, -f, ${stack.flag}], undone: [test, '!', -e, ${stack.flag}] }
  - { kind: command, on: here, run: ['true'], at: 1h }
recovery: { probe: web, within: 30m }
checks: [{ kind: rto, max: 60s }]
`,
  );
  preload = stack.file(
    'preload.mjs',
    `import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread && /firedrill[.]mjs$/.test(process.argv[1] ?? '')) {
  if (process.env.LEFT_OPEN) setInterval(() => {}, 1e6);
  const look = setInterval(() => {
    if (!existsSync(${JSON.stringify(stack.flag)})) return;
    clearInterval(look);
    if (process.env.BREAK === 'throw') throw new TypeError('boom');
    if (process.env.BREAK === 'reject') Promise.reject(new TypeError('boom'));
  }, 20);
  look.unref();
}
`,
  );
});
afterAll(() => stack.close());

const openFaults = (): string[] => {
  const ledger = join(stack.bench.state, 'ledger');
  return existsSync(ledger) ? readdirSync(ledger) : [];
};

describe('a process', () => {
  test.each(['throw', 'reject'])(
    'with an error outside the drill (%s) heals and ends, even if a handle stays open',
    async (how) => {
      const { exitCode, all } = await stack.bench.startWith(
        { NODE_OPTIONS: `--import=${preload}`, BREAK: how, LEFT_OPEN: '1' },
        'run',
        join(stack.files, 'lasting.yaml'),
        '--out',
        join(stack.files, how),
      );
      expect(all).toContain('firedrill broke: TypeError: boom');
      expect(all).toMatch(/firedrill exits with open handles: .*\bTimeout/);
      expect(exitCode).toBe(3);
      expect(existsSync(stack.flag)).toBe(false);
      expect(openFaults()).toEqual([]);
      const [run = ''] = readdirSync(join(stack.files, how));
      const summary: unknown = JSON.parse(readFileSync(join(stack.files, how, run, 'summary.json'), 'utf8'));
      expect(summary).toMatchObject({ verdict: 'inconclusive', healed: true });
    },
  );

  test('that started firedrill under a newer Node heals and ends the drill when it is killed', async () => {
    // A false version is enough: the wrapper checks only `process.versions`.
    const old = stack.file(
      'old.mjs',
      `import { isMainThread } from 'node:worker_threads';
if (isMainThread && !process.connected)
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });
`,
    );
    const out = join(stack.files, 'orphan');
    const wrapper = stack.bench.startWith(
      { NODE_OPTIONS: `--import=${old}` },
      'run',
      join(stack.files, 'lasting.yaml'),
      '--out',
      out,
    );
    await expect.poll(() => existsSync(stack.flag)).toBe(true);
    const child = readFileSync(`/proc/${wrapper.pid}/task/${wrapper.pid}/children`, 'utf8').trim();
    expect(readFileSync(`/proc/${child}/cmdline`, 'utf8')).toContain(join(root, 'bin/firedrill.mjs'));
    wrapper.kill('SIGKILL');
    await expect.poll(() => existsSync(`/proc/${child}`)).toBe(false);
    expect(existsSync(stack.flag)).toBe(false);
    expect(openFaults()).toEqual([]);
    const [run = ''] = readdirSync(out);
    expect(readFileSync(join(out, run, 'events.ndjson'), 'utf8')).toContain(
      'stopped: the process that started firedrill has ended',
    );
  });
});
