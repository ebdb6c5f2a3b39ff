import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { planWith } from '../analysis/testing/log-builder.ts';
import { type Consent, passGuards } from './guard.ts';
import type { Ask } from './terminal-ask.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv('FIREDRILL_STATE_DIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const targetIn = (environment: string) =>
  planWith({
    target: { name: 'shop', environment, path: 't.yaml', sha256: '' },
    faults: [
      {
        id: 'fault-1',
        kind: 'container.stop',
        on: { host: 'alpha' },
        params: { container: 'web', graceSeconds: 0 },
        atMs: 0,
      },
    ],
  });
const pass = (environment: string, consent: Partial<Consent> = {}, ask?: Ask) =>
  passGuards([targetIn(environment)], {
    consent: { allowProduction: false, ...consent },
    command: 'run',
    output: { data: () => {}, text: () => {}, progress: () => {} },
    ask,
  });

describe('guard rails', () => {
  test('let a drill of another environment begin, with its target locked', async () => {
    const unlock = await pass('staging');
    expect(existsSync(join(folder, 'locks', 'shop.lock'))).toBe(true);
    unlock();
    expect(existsSync(join(folder, 'locks', 'shop.lock'))).toBe(false);
  });

  test.each([
    ['without being allowed', {}, 'target shop is production'],
    ['allowed, not confirmed', { allowProduction: true }, 'there is no terminal to confirm it on'],
    ['confirmed by another name', { allowProduction: true, confirm: 'stop' }, '"stop" is not the name'],
    ['confirmed, not allowed', { confirm: 'shop' }, 'target shop is production'],
  ])('refuse production %s', async (_how, consent, message) => {
    await expect(pass('production', consent)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(message) as string,
    });
    expect(existsSync(join(folder, 'locks'))).toBe(false);
  });

  test('let a drill of production begin that is allowed and confirmed', async () => {
    (await pass('production', { allowProduction: true, confirm: 'shop' }))();
    (await pass('production', { allowProduction: true }, async () => 'shop\n'))();
    await expect(pass('production', { allowProduction: true }, async () => 'y')).rejects.toMatchObject({
      code: 'refused',
    });
  });

  test('list the faults of a drill of production before the question', async () => {
    const said: string[] = [];
    const output = { data: () => {}, text: () => {}, progress: (line: string) => void said.push(line) };
    const ask = async (question: string) => {
      said.push(question);
      return 'shop';
    };
    const consent = { allowProduction: true };
    (await passGuards([targetIn('production')], { consent, command: 'run', output, ask }))();
    expect(said).toEqual([
      'target shop is PRODUCTION: the drill affects real users',
      '  container.stop on host alpha: container web',
      'Type the name of the target to continue: ',
    ]);
  });

  test('let no drill begin while a stop file exists', async () => {
    writeFileSync(join(folder, 'stop'), '');
    await expect(pass('lab')).rejects.toMatchObject({
      code: 'refused',
      message: `a stop file exists: ${join(folder, 'stop')}`,
    });
  });
});
