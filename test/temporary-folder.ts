import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** A new folder that is removed after the test. For tests and `beforeEach`. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-one-'));
  onTestFinished(() => remove(folder));
  return folder;
}

/** A new folder that is removed after all tests of the file, or of the `describe` that calls this. */
export function sharedTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-all-'));
  afterAll(() => remove(folder));
  return folder;
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
