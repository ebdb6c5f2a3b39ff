import { isUnreachable, messageOf } from '../../core/errors.ts';
import type { ExecResult, Host } from '../../core/host.ts';
import type { TransportKind } from '../../core/transport-kind.ts';
import type { TransportTest } from '../define-tests.ts';
import { Broken, check, parsedParams, type Report, require, within } from './check.ts';

/** Time limit of a command, ms. */
const commandMs = 10_000;
/** Longest time from a timeout or an abort to the end of a command, ms. */
const endWithinMs = 5000;

/** Tries what a transport promises, on the host of its author's test. */
export async function tryTransport(
  kind: TransportKind<unknown>,
  test: TransportTest,
  report: Report,
): Promise<void> {
  const attempt = (promise: string, work: (host: Host) => Promise<void>): Promise<boolean> =>
    check(report, kind.kind, promise, () => onHost(kind, test, work));
  await attempt('a command gets its arguments unchanged', async (host) => {
    const odd = ['a b', "it's", '$HOME', '"', '\\', '*', '', '-n', 'ü'];
    const { stdout } = await run(host, ['sh', '-c', String.raw`printf '%s\n' "$@"`, 'sh', ...odd]);
    require(stdout === `${odd.join('\n')}\n`, `it printed ${JSON.stringify(stdout)}`);
  });
  await attempt('a non-zero exit is returned, with both outputs apart', async (host) => {
    const result = await run(host, ['sh', '-c', 'echo out; echo err >&2; exit 7']);
    const { exitCode, stdout, stderr } = result;
    require(exitCode === 7 && stdout === 'out\n' && stderr === 'err\n', JSON.stringify(result));
  });
  await attempt('a command that does not exist exits 127', async (host) => {
    const { exitCode } = await run(host, ['firedrill-no-such-program']);
    require(exitCode === 127, `it exits ${exitCode}`);
  });
  await attempt('a command gets its standard input', async (host) => {
    const { stdout } = await host.exec(['cat'], { ...limits(), input: 'one\ntwo' });
    require(stdout === 'one\ntwo', `it printed ${JSON.stringify(stdout)}`);
  });
  await attempt('a timeout is `host-unreachable`', (host) =>
    requireUnreachable(host.exec(['sleep', '30'], { ...limits(), timeoutMs: 300 })),
  );
  await attempt('an abort is `host-unreachable`', (host) => {
    const stop = new AbortController();
    const running = host.exec(['sleep', '30'], { timeoutMs: commandMs, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('the run stops')), 200);
    return requireUnreachable(running);
  });
  await attempt('a followed command ends with its signal', async (host) => {
    const stop = new AbortController();
    const lines = host.follow(['sh', '-c', 'echo ready; sleep 30'], stop.signal);
    const first = await within(commandMs, 'the first line', lines.next());
    require(first.value === 'ready', `the first line is ${JSON.stringify(first.value)}`);
    stop.abort(new Error('the run stops'));
    await within(endWithinMs, 'the followed command', Promise.allSettled([lines.next()]));
  });
  report({
    kind: kind.kind,
    promise: 'a broken connection is `host-unreachable`',
    status: 'not-tried',
    seen: 'the suite cannot break the connection to the host',
  });
}

const limits = (): { readonly timeoutMs: number; readonly signal: AbortSignal } => ({
  timeoutMs: commandMs,
  signal: new AbortController().signal,
});

const run = (host: Host, argv: readonly string[]): Promise<ExecResult> => host.exec(argv, limits());

async function requireUnreachable(running: Promise<ExecResult>): Promise<void> {
  try {
    const result = await within(endWithinMs, 'the command', running);
    throw new Broken(`it returned ${JSON.stringify(result)}`);
  } catch (error) {
    if (error instanceof Broken) throw error;
    require(isUnreachable(error), `it threw ${messageOf(error)}, and not a DrillError host-unreachable`);
  }
}

async function onHost(
  kind: TransportKind<unknown>,
  test: TransportTest,
  work: (host: Host) => Promise<void>,
): Promise<void> {
  const stand = await test.setUp();
  try {
    const params = parsedParams(kind.params, stand.params);
    require(kind.describe(params) !== '', '`describe` is empty');
    const host = kind.create(params, { name: 'alpha', onNote: () => {} });
    require(host.name === 'alpha', `the host's name is ${JSON.stringify(host.name)}`);
    await work(host);
  } finally {
    await stand.tearDown?.();
  }
}
