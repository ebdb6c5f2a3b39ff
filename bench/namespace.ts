import { getuid } from 'node:process';
import { labContext, mustRun, succeeds } from '../src/lab/lab-context.ts';

/** A network namespace with one link to this machine. */
export interface Namespace {
  readonly name: string;
  /** Its address. */
  readonly address: string;
  remove(): Promise<void>;
}

const limits = { timeoutMs: 10_000 };
const context = labContext(new AbortController().signal, () => {});

/** Why this machine does not support namespaces; undefined if it does. */
export async function whyNoNamespace(): Promise<string | undefined> {
  if (getuid?.() !== 0) return 'network namespaces need root';
  for (const program of ['ip', 'iptables-restore'])
    if (!(await succeeds(context, [program, '--version'])) && !(await succeeds(context, [program, '-V'])))
      return `there is no \`${program}\``;
  return undefined;
}

/** Creates namespace number `index`, with addresses of the benchmarking range (RFC 2544). Removes one of an earlier run. */
export async function makeNamespace(index: number): Promise<Namespace> {
  const name = `fd-bench-${index}`;
  const [outer, inner] = [`fdb${index}o`, `fdb${index}i`];
  const [ours, address] = [1, 2].map((host) => `198.19.250.${4 * index + host}`) as [string, string];
  const run = (...argv: string[]) => mustRun(context, argv, limits);
  const remove = async (): Promise<void> => {
    await context.run(['ip', 'netns', 'del', name], { ...limits, signal: context.signal });
  };
  await remove();
  await run('ip', 'netns', 'add', name);
  try {
    await run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name);
    await run('ip', 'addr', 'add', `${ours}/30`, 'dev', outer);
    await run('ip', 'link', 'set', outer, 'up');
    await run('ip', '-n', name, 'addr', 'add', `${address}/30`, 'dev', inner);
    await run('ip', '-n', name, 'link', 'set', inner, 'up');
    await run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  } catch (error) {
    await remove();
    throw error;
  }
  return { name, address, remove };
}
