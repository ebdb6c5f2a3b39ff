import { DrillError } from '../core/errors.ts';
import { splitNameValue } from '../core/name-value.ts';
import { suggest } from '../scenario/suggest.ts';
import { type NamedReporter, type Reporters, reportToAll } from './all.ts';
import { reporterKinds } from './catalog.ts';
import type { ReporterContext, ReporterKind } from './reporter.ts';

/** What a command passes to its reporters. */
export type ReporterSetting = Omit<ReporterContext, 'signal'>;

/** A comma before another reporter, but not a comma within a value. The names of extensions contain dots, as files do. */
function separator(kinds: readonly ReporterKind[]): RegExp {
  const dotted = kinds.map(({ name }) => name).filter((name) => name.includes('.'));
  const names = ['[A-Za-z][\\w-]*', ...dotted.map((name) => name.replaceAll('.', String.raw`\.`))];
  return new RegExp(`,(?=(?:${names.join('|')})(?:[=,]|$))`);
}

/**
 * The reporters of the `--reporter` options, built-in or of the target's extensions: each is `name` or `name=value`, or a comma-separated list; default: `list`.
 * @throws DrillError `invalid-input` for an unknown name, an invalid value, or two reporters on stdout
 */
export function openReporters(
  requested: readonly string[],
  setting: ReporterSetting,
  kinds: readonly ReporterKind[] = reporterKinds,
): Reporters {
  const between = separator(kinds);
  const asked = (requested.length === 0 ? ['list'] : requested)
    .flatMap((text) => text.split(between))
    .map(splitNameValue);
  const chosen = asked.map(({ name, value }) => ({ kind: kindOf(name, value, kinds), value }));
  const printing = chosen.flatMap(({ kind, value }) =>
    kind.stdout === true && value === undefined ? [kind] : [],
  );
  const [first, second] = printing;
  if (first !== undefined && second !== undefined)
    throw new DrillError(
      'invalid-input',
      `--reporter: ${first.name} and ${second.name} both print on stdout`,
      {
        hint: hintOf(printing),
      },
    );
  const reporters = chosen.map(({ kind, value }): NamedReporter => {
    const left = new AbortController();
    const reporter = kind.create(value, { ...setting, signal: left.signal });
    return { name: kind.name, reporter, left };
  });
  return reportToAll(reporters, { say: setting.say });
}

function kindOf(name: string, value: string | undefined, kinds: readonly ReporterKind[]): ReporterKind {
  const kind = kinds.find((known) => known.name === name);
  if (kind === undefined) {
    const known = kinds.map((each) => each.name);
    throw new DrillError('invalid-input', `--reporter ${name}: no such reporter${suggest(name, known)}`);
  }
  if (value !== undefined && kind.value === undefined)
    throw new DrillError('invalid-input', `--reporter ${name}: takes no value`);
  if (value === '')
    throw new DrillError('invalid-input', `--reporter ${name}=: expected a ${kind.value ?? ''} after the =`);
  return kind;
}

function hintOf(printing: readonly ReporterKind[]): string {
  const other = printing.find((kind) => kind.value !== undefined);
  return other === undefined
    ? 'Pass only one of them.'
    : `Write one of them to a ${other.value ?? ''}: --reporter ${other.name}=${(other.value ?? '').toUpperCase()}.`;
}
