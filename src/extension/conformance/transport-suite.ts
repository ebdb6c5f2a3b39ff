import { setTimeout as sleep } from 'node:timers/promises';
import { isUnreachable } from '../../core/errors.ts';
import type { ExecOptions, ExecResult, FollowEnd, Host } from '../../core/host.ts';
import type { TransportKind } from '../../core/transport-kind.ts';
import type { Connection, Stand, TransportTest } from '../define-tests.ts';
import {
  Broken,
  check,
  NotTried,
  ofTest,
  parsedParams,
  type Promised,
  type Report,
  require,
  requireText,
  shown,
  threw,
  within,
  withStand,
} from './check.ts';
import * as promised from './transport-promises.ts';

/** Time limit of a command, ms. */
const commandMs = 10_000;
/** Longest time from a timeout, an abort, or a broken connection to the end of a command, ms. */
const endWithinMs = 5000;

/** A host that the transport reaches. */
interface Opened {
  readonly host: Host;
  readonly stand: Stand;
}

/** Tries what a transport promises, on the host of its author's test. */
export async function tryTransport(
  kind: TransportKind<unknown>,
  test: TransportTest,
  report: Report,
): Promise<void> {
  const attempt = (promise: Promised, work: (on: Opened) => Promise<void>): Promise<boolean> =>
    check(report, kind.kind, promise, () => onHost(kind, test, work));
  await attempt(promised.passesArguments, async ({ host }) => {
    const odd = [
      'a b',
      "it's",
      '$HOME',
      '`id`',
      '"',
      '\\',
      '*',
      '~',
      '',
      '-n',
      'a\nb',
      '%s',
      'ü',
      'x'.repeat(20_000),
    ];
    const { stdout } = await run(host, ['printf', String.raw`%s\0`, ...odd]);
    const got = stdout.split('\0').slice(0, -1);
    const i = odd.findIndex((word, at) => got[at] !== word);
    require(i < 0 && got.length === odd.length, `the argument ${brief(odd[i])} arrived as ${brief(got[i])}`);
  });
  await attempt(promised.returnsExit, async ({ host }) => {
    for (const more of [{}, { attempt: true }] as const) {
      const result = await run(host, ['sh', '-c', 'printf "out\\nend"; echo err >&2; exit 7'], more);
      const { exitCode, stdout, stderr } = result;
      require(exitCode === 7 &&
        stdout === 'out\nend' &&
        stderr === 'err\n', `expected exit code 7, "out\\nend", and "err\\n": it returned ${shown(result)}`);
    }
  });
  await attempt(promised.missingProgram, async ({ host }) => {
    for (const [code, argv] of [
      [127, ['firedrill-no-such-program']],
      [126, ['/etc/passwd']],
      [137, ['sh', '-c', 'kill -9 $$']],
    ] as const) {
      const { exitCode } = await run(host, argv);
      require(exitCode === code, `\`${argv.join(' ')}\` exits ${exitCode}, and not ${code}`);
    }
  });
  await attempt(promised.passesInput, async ({ host }) => {
    const { stdout } = await run(host, ['cat'], { input: 'one\ntwo' });
    require(stdout === 'one\ntwo', `the input "one\\ntwo" arrived as ${brief(stdout)}`);
    const empty = await run(host, ['cat']);
    require(empty.stdout === '' &&
      empty.exitCode === 0, `without input, \`cat\` printed ${brief(empty.stdout)}`);
  });
  await attempt(promised.wholeOutput, wholeOutput);
  await attempt(promised.inParallel, inParallel);
  await attempt(promised.environment, async ({ host }) => {
    const { stdout } = await run(host, ['sh', '-c', 'echo "$LC_ALL ${LANGUAGE-unset} :$PATH:"']);
    require(/^C(\.UTF-8)? unset .*:\/usr\/sbin:/.test(
      stdout,
    ), `LC_ALL, LANGUAGE, and PATH are ${brief(stdout)}`);
  });
  await attempt(promised.endsInTime, endsInTime);
  await attempt(promised.follows, follows);
  await attempt(promised.endsFollowed, endsFollowed);
  await attempt(promised.endsPipe, pipes);
  await attempt(promised.letsEnd, letsEnd);
  await attempt(promised.breaks, (on) => breaks(on, connectionOf(on)));
  await attempt(promised.breaksFollowed, (on) => breaksFollowed(on, connectionOf(on)));
  await attempt(promised.connectsAgain, (on) => connectsAgain(on, connectionOf(on)));
}

async function wholeOutput({ host }: Opened): Promise<void> {
  const input = `${'ü'.repeat(100_000)}\n`;
  const { stdout, stderr } = await run(host, ['sh', '-c', 'cat; echo end >&2; printf z'], { input });
  require(stdout === `${input}z`, `of ${input.length + 1} characters, ${stdout.length} arrived, or others`);
  require(stderr === 'end\n', `stderr is ${brief(stderr)}`);
  const cut = await run(host, ['sh', '-c', 'while :; do echo y; done'], { maxOutputBytes: 10 });
  require(cut.stdout === 'y\ny\ny\ny\ny\n' &&
    cut.truncated === true, `with \`maxOutputBytes: 10\`, it returned ${brief(cut)}`);
}

async function inParallel({ host }: Opened): Promise<void> {
  const words = Array.from({ length: 8 }, (_, n) => `word-${n}`);
  const script = 'echo "$1"; echo "$1" >&2; exit "${1#word-}"';
  const results = await Promise.all(words.map((word) => run(host, ['sh', '-c', script, 'sh', word])));
  for (const [n, result] of results.entries())
    require(result.stdout === `${words[n]}\n` &&
      result.stderr === `${words[n]}\n` &&
      result.exitCode === n, `command ${n} of 8 returned ${shown(result)}`);
}

async function endsInTime({ host }: Opened): Promise<void> {
  await requireUnreachable('after its timeout', exec(host, ['sleep', '30'], { timeoutMs: 300 }));
  const stop = new AbortController();
  const running = exec(host, ['sleep', '30'], { signal: stop.signal });
  running.catch(() => {});
  await sleep(200);
  stop.abort(new Error('the run stops'));
  await requireUnreachable('after an abort', running);
  await requireUnreachable('with an aborted signal', exec(host, ['true'], { signal: stop.signal }));
  const { stdout } = await run(host, ['echo', 'again']);
  require(stdout === 'again\n', `the command after it printed ${brief(stdout)}`);
}

async function follows({ host }: Opened): Promise<void> {
  const script = String.raw`echo one; printf "two ü\n\ntorn"; echo err >&2; exit 4`;
  const whole = await followedTo(host, ['sh', '-c', script]);
  const expected = { lines: ['one', 'two ü', '', 'torn'], end: { exitCode: 4, stderr: 'err\n' } };
  require(shown(whole) === shown(expected), `expected ${shown(expected)}, got ${shown(whole)}`);
  const { end } = await followedTo(host, ['firedrill-no-such-program']);
  require(end.exitCode === 127, `a program that is missing exits ${end.exitCode}, and not 127`);
}

async function followedTo(host: Host, argv: readonly string[]): Promise<{ lines: string[]; end: FollowEnd }> {
  const following = host.follow(argv, new AbortController().signal);
  const lines: string[] = [];
  for (;;) {
    const next = await within(commandMs, 'the followed command', following.next());
    if (next.done === true)
      return { lines, end: { exitCode: next.value.exitCode, stderr: next.value.stderr } };
    lines.push(next.value);
  }
}

const followed = ['sh', '-c', 'echo $$; exec sleep 60'];

async function endsFollowed({ host }: Opened): Promise<void> {
  const ways: Record<string, (lines: ReturnType<Host['follow']>, stop: AbortController) => Promise<unknown>> =
    {
      'its signal aborted': (lines, stop) => {
        stop.abort(new Error('the run stops'));
        return Promise.allSettled([lines.next()]);
      },
      'its generator was returned': (lines) => lines.return({ exitCode: 0, stderr: '' }),
    };
  for (const [way, end] of Object.entries(ways)) {
    const stop = new AbortController();
    const lines = host.follow(followed, stop.signal);
    const first = await within(commandMs, 'the first line', lines.next());
    const pid = first.done === true ? '' : first.value;
    require(/^\d+$/.test(pid), `the first line is ${brief(pid)}, and not a process id`);
    await within(endWithinMs, `the followed command after ${way}`, end(lines, stop));
    await requireGone(host, pid, way);
  }
}

/** A zombie has ended. */
const isRunning = '[ -e "/proc/$1/stat" ] || exit 1; case $(cat "/proc/$1/stat") in *") Z "*) exit 1 ;; esac';

async function requireGone(host: Host, pid: string, way: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < endWithinMs; waitedMs += 200) {
    if ((await run(host, ['sh', '-c', isRunning, 'sh', pid])).exitCode !== 0) return;
    await sleep(200);
  }
  throw new Broken(`the command still runs on the host ${endWithinMs} ms after ${way}`);
}

async function pipes({ host }: Opened): Promise<void> {
  if (host.pipe === undefined)
    throw new NotTried(
      'the host has no `pipe`',
      '`pipe` is optional. Add it if the transport can keep a stream of bytes open in both directions.',
    );
  const pipe = host.pipe(['sh', '-c', 'cat; echo why >&2; exit 3']);
  const ended = Promise.withResolvers<string>();
  const bytes: number[] = [];
  let ends = 0;
  pipe.onData((part) => {
    bytes.push(...part);
    if (bytes.length >= 4) pipe.close();
  });
  pipe.onEnd((why) => {
    ends += 1;
    ended.resolve(why);
  });
  pipe.write(Uint8Array.of(0, 255, 10, 128));
  await within(commandMs, 'the pipe', ended.promise);
  require(shown(bytes) === '[0,255,10,128]', `the bytes [0,255,10,128] came back as ${shown(bytes)}`);
  require(ends === 1, `it reported its end ${ends} times`);
}

async function letsEnd({ host }: Opened): Promise<void> {
  await sleep(200);
  const before = counted(process.getActiveResourcesInfo());
  await run(host, ['true']);
  await Promise.allSettled([exec(host, ['sleep', '30'], { timeoutMs: 100 })]);
  let added: string[] = [];
  for (let waitedMs = 0; waitedMs < endWithinMs; waitedMs += 100) {
    const now = counted(process.getActiveResourcesInfo());
    added = [...now].filter(([name, n]) => n > (before.get(name) ?? 0)).map(([name]) => name);
    if (added.length === 0) return;
    await sleep(100);
  }
  throw new Broken(
    `${endWithinMs} ms after its last command, these keep the process running: ${added.join(', ')}`,
  );
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  // `Timeout` is the wait of this check.
  for (const name of names) if (name !== 'Timeout') counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** The connection breaks when the command has begun: it may be done or not. */
async function breaks({ host }: Opened, connection: Connection): Promise<void> {
  const folder = (await run(host, ['mktemp', '-d'])).stdout.trim();
  require(folder.startsWith('/'), `\`mktemp -d\` printed ${brief(folder)}`);
  const running = exec(host, [
    'sh',
    '-c',
    'echo begun >"$1/begun"; sleep 3; echo done >"$1/done"',
    'sh',
    folder,
  ]);
  running.catch(() => {});
  for (let n = 0; (await run(host, ['test', '-e', `${folder}/begun`])).exitCode !== 0; n += 1) {
    require(n < 50, 'the command did not begin while another one ran');
    await sleep(50);
  }
  await ofTest('connection.cut', () => connection.cut());
  await requireUnreachable('when its connection broke after it had begun', running);
  await ofTest('connection.restore', () => connection.restore());
  await connectedAgain(host);
  await run(host, ['rm', '-rf', '--', folder]);
}

async function breaksFollowed({ host }: Opened, connection: Connection): Promise<void> {
  const lines = host.follow(followed, new AbortController().signal);
  await within(commandMs, 'the first line', lines.next());
  await ofTest('connection.cut', () => connection.cut());
  await requireUnreachable('when the connection of a followed command broke', lines.next());
  await ofTest('connection.restore', () => connection.restore());
}

async function connectsAgain({ host }: Opened, connection: Connection): Promise<void> {
  await run(host, ['true']);
  await ofTest('connection.cut', () => connection.cut());
  for (const _ of [1, 2])
    await requireUnreachable('without a connection', exec(host, ['true'], { timeoutMs: endWithinMs / 2 }));
  await ofTest('connection.restore', () => connection.restore());
  await connectedAgain(host);
}

async function connectedAgain(host: Host): Promise<void> {
  let last: unknown;
  for (let n = 0; n < 5; n += 1) {
    try {
      const { stdout } = await run(host, ['echo', 'again']);
      require(stdout ===
        'again\n', `the first command after the connection was restored printed ${brief(stdout)}`);
      return;
    } catch (error) {
      if (error instanceof Broken && !error.message.startsWith('`exec`')) throw error;
      last = error;
      await sleep(200);
    }
  }
  throw new Broken(threw('after the connection was restored, the fifth command', last));
}

function connectionOf({ stand: { connection } }: Opened): Connection {
  if (connection !== undefined) return connection;
  throw new NotTried(
    'the result of `setUp` has no `connection`',
    'Put `proxyTo(port)` between the transport and its host, or write `cut` and `restore`, and return them as `connection`.',
  );
}

function exec(host: Host, argv: readonly string[], more: Partial<ExecOptions> = {}): Promise<ExecResult> {
  const options = { timeoutMs: commandMs, signal: new AbortController().signal, ...more };
  // A transport may throw before it returns a promise.
  return Promise.resolve().then(() => host.exec(argv, options));
}

/** Runs a command that nothing disturbs. @throws Broken if it fails, or if its result has the wrong type */
async function run(
  host: Host,
  argv: readonly string[],
  more: Partial<ExecOptions> = {},
): Promise<ExecResult> {
  const words = brief(argv.join(' '));
  try {
    const result: ExecResult = await within(
      commandMs + endWithinMs,
      `the command ${words}`,
      exec(host, argv, more),
    );
    const isResult =
      Number.isInteger(result.exitCode) &&
      typeof result.stdout === 'string' &&
      typeof result.stderr === 'string';
    require(isResult, `the command ${words} returned ${shown(result)}`);
    return result;
  } catch (error) {
    throw error instanceof Broken ? error : new Broken(threw(`\`exec\` of ${words}`, error));
  }
}

async function requireUnreachable(when: string, running: Promise<unknown>): Promise<void> {
  const result = await within(
    endWithinMs,
    `the command ${when}`,
    running.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
  );
  require('error' in result, `${when}, it returned ${brief('value' in result ? result.value : undefined)}`);
  require(isUnreachable(
    result.error,
  ), `${when}, ${threw('it', result.error)}, and not a DrillError host-unreachable`);
}

function brief(value: unknown): string {
  const text = shown(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

async function onHost(
  kind: TransportKind<unknown>,
  test: TransportTest,
  work: (on: Opened) => Promise<void>,
): Promise<void> {
  await withStand(test, async (stand) => {
    const params = parsedParams(kind.params, stand.params);
    requireText(kind.describe(params), '`describe`');
    const host = kind.create(params, { name: 'alpha', onNote: () => {} });
    require(host.name === 'alpha', `the host's name is ${shown(host.name)}, and not the given "alpha"`);
    requireText(host.transport, '`transport` of the host');
    await work({ host, stand });
  });
}
