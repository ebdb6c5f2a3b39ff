import { measureWords } from '../analysis/words.ts';
import type { Summary } from '../core/summary.ts';
import { counted, plain } from './text.ts';
import { verdictWords } from './verdict-text.ts';

/** What is shown beside a file, or in the list of a job. Line and column count from 1. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly title: string;
  readonly message: string;
}

/** GitHub shows so many of each level for a step, and leaves the others out. */
const shown = 10;

/** The annotation of a drill: what did not pass is an error, what is not known a warning, a pass a notice. */
export function drillAnnotation(summary: Summary): Annotation {
  const { scenario, target, verdict, healed, rto, reasons } = summary;
  const words = [
    ...(rto === null ? ['RTO not measured'] : [`RTO ${measureWords(rto)}`]),
    `target ${target}`,
    ...reasons,
  ];
  return {
    level: verdict === 'fail' || !healed ? 'error' : verdict === 'pass' ? 'notice' : 'warning',
    file: scenario.path,
    line: 1,
    title: `${verdictWords(summary)}: ${scenario.name}`,
    message: words.map(plain).join('\n'),
  };
}

/** The annotations that are shown: of more than ten of a level, the tenth tells of all that are left. */
export function shownAnnotations(all: readonly Annotation[]): readonly Annotation[] {
  return (['error', 'warning', 'notice'] as const).flatMap((level) => {
    const own = all.filter((one) => one.level === level);
    if (own.length <= shown) return own;
    const rest = own.slice(shown - 1);
    return [
      ...own.slice(0, shown - 1),
      {
        level,
        title: `and ${counted(rest.length, 'drill')} more`,
        message: rest.map((one) => one.title).join('\n'),
      },
    ];
  });
}

/**
 * A workflow command, a line that the runner obeys.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands; escapes as actions/toolkit's command.ts has them.
 */
export function annotationLine({ level, title, message, ...place }: Annotation): string {
  const properties = { file: place.file, line: place.line, col: place.column, title: plain(title) };
  const set = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${escapedProperty(String(value))}`],
  );
  return `::${level} ${set.join(',')}::${escapedData(message)}`;
}

function escapedData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapedProperty(text: string): string {
  return escapedData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** A text of at most so many bytes, cut after a whole line; `rest` says that there was more. */
export function fitted(text: string, maxBytes: number, rest: string): string {
  const encoder = new TextEncoder();
  if (encoder.encode(text).length <= maxBytes) return text;
  let left = maxBytes - encoder.encode(rest).length;
  const kept: string[] = [];
  for (const line of text.split(/(?<=\n)/)) {
    left -= encoder.encode(line).length;
    if (left < 0) break;
    kept.push(line);
  }
  return left < 0 && kept.length === 0 && encoder.encode(rest).length > maxBytes
    ? ''
    : `${kept.join('')}${rest}`;
}
