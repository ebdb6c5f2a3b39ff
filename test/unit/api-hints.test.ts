import { expect, test } from 'vitest';
import { drill, plan } from '../../src/index.ts';

// A test runner prints the hint of an error: its reader runs the command in the same project.

const suite = 'scenarios/wazuh-lb/suite.yaml';
const hint = `Run it with \`npx firedrill table ${suite}\`.`;

test('the hint of an error names the command that works in the project', async () => {
  await expect(drill(suite)).rejects.toMatchObject({ code: 'invalid-input', hint });
  expect(() => plan(suite)).toThrow(expect.objectContaining({ code: 'invalid-input', hint }));
});

test('so does the text of a plan; its JSON does not, because it may be kept', () => {
  const [planned] = plan('scenarios/certlocker/partition.yaml');
  expect(planned?.text).toContain('`npx firedrill doctor`');
  expect(JSON.stringify(planned?.json)).not.toContain('npx firedrill');
});
