import { describe, expect, test } from 'vitest';
import { signaturesResult } from '../../scripts/lib/signatures.mjs';

describe('npm audit signatures', () => {
  test('passes with the number of verified packages', () => {
    const output = 'audited 80 packages in 2s\n\n80 packages have verified registry signatures\n';
    expect(signaturesResult(0, output)).toEqual({
      state: 'passed',
      text: '80 packages have verified registry signatures',
    });
  });

  test('fails with what npm prints', () => {
    const output = '1 package has an invalid registry signature:\n\nx@1.0.0 (https://registry.test/)\n';
    expect(signaturesResult(1, output)).toEqual({ state: 'failed', text: output.trim() });
  });

  test.each(['ENOTFOUND', 'ECONNREFUSED', 'ETIMEDOUT'])('is not run after %s', (code) => {
    const output = `npm error code ${code}\nnpm error network request to https://keys.test/root.json failed\n`;
    expect(signaturesResult(1, output)).toEqual({
      state: 'not run',
      text: `the registry or its keys cannot be reached (${code})`,
    });
  });

  test('is not run with a registry that signs nothing', () => {
    const output = 'npm error found no dependencies to audit that were installed from a supported registry\n';
    expect(signaturesResult(1, output)).toMatchObject({ state: 'not run' });
  });
});
