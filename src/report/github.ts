import { measureText } from '../analysis/format.ts';
import type { Summary } from '../core/summary.ts';
import { plain } from './text.ts';
import { verdictText } from './verdict-text.ts';

/** A GitHub annotation: shown next to a file line, or in the job's list. Line and column count from 1. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly title: string;
  readonly message: string;
}

/** GitHub shows at most this many annotations of each level for a step. */
const shown = 10;

/** The annotation of a drill: a fail or an unhealed fault is an error, inconclusive a warning, a pass a notice. */
export function drillAnnotation(summary: Summary): Annotation {
  const { scenario, target, verdict, healed, rto, reasons } = summary;
  const words = [
    ...(rto === null ? ['RTO not measured'] : [`RTO ${measureText(rto)}`]),
    `target ${target}`,
    ...reasons,
  ];
  return {
    level: verdict === 'fail' || !healed ? 'error' : verdict === 'pass' ? 'notice' : 'warning',
    file: scenario.path,
    line: 1,
    title: `${verdictText(summary)}: ${scenario.name}`,
    message: words.map(plain).join('\n'),
  };
}

/** The annotations to print: if a level has more than ten, the tenth lists all that remain. */
export function shownAnnotations(all: readonly Annotation[]): readonly Annotation[] {
  return (['error', 'warning', 'notice'] as const).flatMap((level) => {
    const own = all.filter((one) => one.level === level);
    if (own.length <= shown) return own;
    const rest = own.slice(shown - 1);
    return [
      ...own.slice(0, shown - 1),
      {
        level,
        title: `and ${rest.length} more drills`,
        message: rest.map((one) => one.title).join('\n'),
      },
    ];
  });
}

/**
 * A workflow command: a line that the runner executes.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands; the escapes are those of actions/toolkit's command.ts.
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

/** The text cut after a complete line to at most `maxBytes` of UTF-8; `rest` marks the cut and counts in the limit. */
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
