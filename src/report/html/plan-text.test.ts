import { expect, test } from 'vitest';
import { planWith, probeOf } from '../../analysis/testing/log-builder.ts';
import { planTexts } from './plan-text.ts';

const text = `name: x # the token: abc123
steps:
  - password: hunter2
    url: https://me:hunter3@host/
    apiKey: "hunter4"
    tokenFile: secrets/token
    secret: { env: DB_SECRET }
    password:
      file: secrets/password
`;

test("a plan's texts mask secrets", () => {
  const base = planWith({
    probes: [
      probeOf('db', {
        params: { dsn: 'postgresql://me:hunter3@db/x', password: 'hunter2', token: { env: 'TOKEN' } },
      }),
    ],
  });
  const found = planTexts({ ...base, scenario: { ...base.scenario, text } });
  expect(found.file).toBe(`name: x # the token: [secret]
steps:
  - password: [secret]
    url: https://me:[secret]@host/
    apiKey: [secret]
    tokenFile: secrets/token
    secret: { env: DB_SECRET }
    password:
      file: secrets/password
`);
  expect(found.target).toContain('dsn: postgresql://me:[secret]@db/x\n');
  expect(found.target).toContain('password: "[secret]"\n');
  expect(found.target).toContain('env: TOKEN\n');
  expect(found.scenario).not.toContain('hunter');
  expect(planTexts(base).file).toBeUndefined();
});
