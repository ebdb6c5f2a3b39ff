import { DrillError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';

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
  if (!missing && result.stdout.includes('iputils')) return;
  const what = missing ? `${host.name} has no ${tool}` : `${tool} on ${host.name} is not that of iputils`;
  throw new DrillError('invalid-input', what, {
    mend: `Install it on ${host.name} (Debian: iputils-${tool}), or look from another host (\`from:\`).`,
  });
}
