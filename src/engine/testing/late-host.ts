import type { Clock } from '../../core/clock.ts';
import { DrillError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import { scriptedHost, type Script, type ScriptedHost } from '../../faults/testing/scripted-host.ts';

/**
 * A scripted host that answers late on a (simulated) clock. `delayMs` returns the answer time of a command that starts now.
 * A command acts when it is answered, and does not act if its time-out or its signal comes first.
 */
export function lateHost(clock: Clock, delayMs: () => number, script: Script): ScriptedHost {
  const host = scriptedHost(script);
  const exec: Host['exec'] = async (argv, options) => {
    const takesMs = delayMs();
    const waitMs = Math.min(takesMs, options.timeoutMs);
    try {
      await clock.sleep(waitMs, options.signal);
    } catch (error) {
      throw new DrillError('host-unreachable', `alpha: \`${argv.join(' ')}\` was cut short`, {
        cause: error,
      });
    }
    if (takesMs > options.timeoutMs)
      throw new DrillError(
        'host-unreachable',
        `alpha: \`${argv.join(' ')}\` did not end within ${options.timeoutMs} ms`,
      );
    return host.exec(argv, options);
  };
  return { ...host, exec };
}
