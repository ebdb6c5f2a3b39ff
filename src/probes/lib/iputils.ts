import { DrillError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import { installHint } from '../../core/install-hint.ts';
import { withoutNoise } from './noise.ts';

/** Longest wait for a tool's version, ms. */
export const preflightTimeoutMs = 5000;

/**
 * Checks that a host has the iputils version of a tool: other versions have other options and other output.
 * An unreachable host passes, because it may be reachable later.
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
  // Other versions print their own name, or an error about the option. Output of other programs, such as
  // sudo, proves nothing about the tool.
  if (!missing && (said.includes('iputils') || !/ping|busybox|inetutils/i.test(said))) return;
  const what = missing ? `${host.name} has no ${tool}` : `${tool} on ${host.name} is not the iputils version`;
  throw new DrillError('invalid-input', what, {
    hint:
      host.container === undefined
        ? `Install it on ${host.name} (Debian: apt-get install iputils-${tool}), or set \`from:\` to another host.`
        : installHint(host, `iputils-${tool}`),
  });
}
