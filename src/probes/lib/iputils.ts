import { DrillError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import { installHint } from '../../core/install-hint.ts';
import { withoutNoise } from './noise.ts';

/** Longest wait for a tool's version. */
export const preflightTimeoutMs = 5000;

/**
 * Whether a host has a tool, and that of iputils: others take other options and say other things. A host that cannot be
 * reached now may be so later: that is no reason not to begin.
 *
 * @throws DrillError `invalid-input`
 */
export async function requireIputils(
  host: Host,
  tool: 'arping' | 'ping',
  signal: AbortSignal,
): Promise<void> {
  const options = { timeoutMs: preflightTimeoutMs, signal };
  const result = await host.exec([tool, '-V'], options).catch(() => undefined);
  if (result === undefined) return;
  const missing = result.exitCode === 127;
  const said = withoutNoise(`${result.stdout}\n${result.stderr}`);
  // Other makes name themselves or the option that they do not know. Whoever else speaks, as sudo does, says nothing of the tool.
  if (!missing && (said.includes('iputils') || !/ping|busybox|inetutils/i.test(said))) return;
  const what = missing ? `${host.name} has no ${tool}` : `${tool} on ${host.name} is not that of iputils`;
  throw new DrillError('invalid-input', what, {
    mend:
      host.container === undefined
        ? `Install it on ${host.name} (Debian: iputils-${tool}), or look from another host (\`from:\`).`
        : installHint(host, `iputils-${tool}`),
  });
}
