import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { parseOsRelease } from '../src/lab/os-release.ts';

/** The machine and the time of a benchmark part. */
export interface Conditions {
  readonly startedAt: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly system: string;
  readonly kernel: string;
  readonly node: string;
  /** Load average of the minute before the part. */
  readonly loadBefore: number;
}

/** The present conditions. */
export function conditions(): Conditions {
  return {
    startedAt: new Date().toISOString(),
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: parseOsRelease(readFileSync('/etc/os-release', 'utf8')).prettyName,
    kernel: release(),
    node: process.versions.node,
    loadBefore: loadavg()[0] ?? 0,
  };
}
