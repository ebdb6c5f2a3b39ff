import { controlEveryMs, controlWorkMs } from '../core/starvation-limits.ts';
import { readyLine } from './control-ready.ts';

// The control: says that it is ready, then uses a fixed amount of CPU time now and then and prints a line about it: when it ended (CLOCK_MONOTONIC,
// ns), how long it took and the CPU time in it (both us). Started by control.ts; ends with its standard input, whatever
// becomes of firedrill.

/** One round of work between two readings of the CPU time: about 0.1 ms. */
const roundLength = 20_000;
let value = 0;

/**
 * CPU time of this process, us. It has no other threads at work. The time of the thread alone (`threadCpuUsage`) is brought
 * up to date at the kernel's ticks only, 4 ms apart.
 */
function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function work(): void {
  const startNs = process.hrtime.bigint();
  const startUs = cpuUs();
  let usedUs = 0;
  while (usedUs < controlWorkMs * 1000) {
    for (let i = 0; i < roundLength; i++) value = (Math.imul(value, 31) + i) | 0;
    usedUs = cpuUs() - startUs;
  }
  const endNs = process.hrtime.bigint();
  process.stdout.write(`${endNs} ${Number(endNs - startNs) / 1000} ${usedUs}\n`);
}

process.stdout.write(`${readyLine}\n`);
// No reader: firedrill is gone.
process.stdout.on('error', () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).resume();
setInterval(work, controlEveryMs);
