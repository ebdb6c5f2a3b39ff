import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotTried } from './check.ts';

/** Longest time for processes to end after the work, ms. */
const endWithinMs = 5000;
const variable = 'FIREDRILL_TEST_EXTENSION';

/**
 * Runs `work`, and returns the processes of this machine that it started, directly or not, and that have not ended after it.
 * They are found by an environment variable that they inherit.
 * @throws NotTried on a machine without /proc
 */
export async function processesLeftBy(work: () => Promise<void>): Promise<readonly string[]> {
  if (process.platform !== 'linux')
    throw new NotTried('this machine has no /proc to find processes', 'Run the tests on Linux.');
  const mark = randomUUID();
  process.env[variable] = mark;
  try {
    await work();
  } finally {
    delete process.env[variable];
  }
  const expected = `${variable}=${mark}`;
  for (let waitedMs = 0; ; waitedMs += 100) {
    const left = processesWith(expected);
    if (left.length === 0 || waitedMs >= endWithinMs) return left;
    await sleep(100);
  }
}

function processesWith(expected: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(pid, 'environ').includes(expected))
    .map((pid) => `${read(pid, 'cmdline').join(' ').trim()} (process ${pid})`);
}

/** The texts of a file of a process; none if the process has ended, or belongs to another user. */
function read(pid: string, name: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
