import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { planWith } from '../analysis/testing/log-builder.ts';
import type { Plan, PlannedProbe } from '../core/plan.ts';
import { learnSecrets, redactor } from './secrets.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'secrets'));
});

const secretFile = (name: string, secret: string): string => {
  const path = join(folder, 'secrets', name);
  writeFileSync(path, `${secret}\n`);
  return path;
};
const probe = (id: string, params: PlannedProbe['params']): PlannedProbe => ({
  id,
  name: id,
  kind: 'sql',
  params,
  intervalMs: 1000,
  timeoutMs: 900,
});
const planOf = (probes: PlannedProbe[], more: Partial<Plan> = {}): Plan => planWith({ probes, ...more });

test('a secret that is a word of its file’s path is redacted, but the path stays readable', () => {
  const file = secretFile('w3ather.txt', 'w3ather');
  const plan = planOf([probe('pg', { dsn: 'postgresql://u@db/app', password: { file } })]);
  expect(learnSecrets(plan)).toEqual([]);
  expect(redactor.text(`${file}: w3ather is wrong`)).toBe(`${file}: [secret] is wrong`);
});

test('a secret in the path of the scenario or its target, or in a variable’s name, does not count as a text of the plan', () => {
  const file = secretFile('pw', 'st4cks');
  const plan = planOf(
    [probe('pg', { password: { file } }), probe('pg2', { password: { env: 'ST_st4cks' } })],
    {
      scenario: {
        name: 's',
        title: 's',
        path: 'drills/st4cks/s.yaml',
        sha256: 'st4cks',
        variables: {},
        text: 'name: s\ntarget: ../st4cks/target.yaml\n',
      },
      target: { name: 't', environment: 'test', path: 'drills/st4cks/target.yaml', sha256: '' },
    },
  );
  expect(learnSecrets(plan)).toEqual([]);
  expect(redactor.text('st4cks in drills/st4cks/target.yaml')).toBe('[secret] in drills/st4cks/target.yaml');
});

test('a secret in the plan is reported once, with its place, for any number of references and drills', () => {
  const file = secretFile('shared', 'fl0wers');
  const probes = ['a', 'b', 'c'].map((id) =>
    probe(id, { dsn: 'postgresql://fl0wers@db/app', password: { file } }),
  );
  expect(learnSecrets(planOf(probes))).toEqual([
    `the secret from ${file} also appears in probes.a.params.dsn, so logs and reports show it; change the secret, or remove it there`,
  ]);
  expect(learnSecrets(planOf(probes))).toEqual([]);
  expect(redactor.text('fl0wers')).toBe('fl0wers');
});

test('the password of a proxy is a secret', () => {
  vi.stubEnv('HTTPS_PROXY', 'http://drill:pr0xyword@proxy.example:3128');
  learnSecrets(planOf([]));
  vi.unstubAllEnvs();
  expect(redactor.text('drill:pr0xyword')).toBe('drill:[secret]');
});
