import type { Outcome } from '../run-command.ts';

/** Output and exit code of a command in a marking script. */
interface Written {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For tests: the argv that `markedArgv` wrapped, and its mark; undefined for any other argv. */
export function unmarked(
  argv: readonly string[],
): { readonly argv: readonly string[]; readonly mark: string } | undefined {
  const at = argv.indexOf('/bin/sh');
  const written = argv[at + 4];
  if (at < 0 || written === undefined) return undefined;
  const script = written.replaceAll(/\\0([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  const [, first, second, words = ''] = /^fd_a=(\w+) fd_b=(\w+); set -- (.*)$/m.exec(script) ?? [];
  if (first === undefined || second === undefined) return undefined;
  return { argv: unquoted(words), mark: `${first}${second}` };
}

/** The words of a line that `shellCommand` wrote. */
function unquoted(line: string): readonly string[] {
  const words = line.match(/(?:'[^']*'|\\'|[^\s'\\])+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|\\(')/g, (_, quoted?: string) => quoted ?? "'"));
}

/** For tests: the outcome with marks around the output if the argv is a marking script; otherwise the outcome itself. */
export function ranMarked(argv: readonly string[], outcome: Outcome): Outcome {
  const marked = unmarked(argv);
  if (marked === undefined || outcome.kind !== 'exited') return outcome;
  return { ...outcome, ...between(marked.mark, outcome) };
}

/** Output between marks. */
function between(mark: string, { exitCode, stdout, stderr }: Written): Pick<Written, 'stdout' | 'stderr'> {
  const wrap = (text: string): string => `${mark} S1\n${text}${mark} E${exitCode}\n`;
  return { stdout: wrap(stdout), stderr: wrap(stderr) };
}
