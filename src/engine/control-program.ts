import { controlEveryMs, controlWorkMs } from '../core/starvation-limits.ts';
import { readyLine } from './control-ready.ts';

// The control: prints a ready line, then uses a fixed amount of CPU time at fixed intervals. For each piece
// of work it prints a line: when it ended (CLOCK_MONOTONIC, ns), how long it took, and its CPU time (both
// us). control.ts starts it. It ends when its standard input ends, so it never outlives firedrill.

/** Iterations between two readings of the CPU time: about 0.1 ms. */
const roundLength = 20_000;
let value = 0;

/**
 * CPU time of this process, us; it has no other busy threads. `threadCpuUsage` is not used: the kernel
 * updates it only at its ticks, every 4 ms.
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
// Nothing reads the pipe any more, so firedrill has ended.
process.stdout.on('error', () => process.exit(0));
process.stdin.on('end', () => process.exit(0)).resume();
setInterval(work, controlEveryMs);
