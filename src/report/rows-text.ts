import { measureText } from '../analysis/format.ts';
import type { RowLoss, Summary, WriterSummary } from '../core/summary.ts';
import { durationText, limitText, offsetText } from '../core/format-duration.ts';
import { cutTable, effectOrStart, type Section, table, text } from './sections.ts';
import { aligned, counted, plain } from './text.ts';

/** The RPO as text: `12.3 s (…), 400 of 3200 acknowledged writes lost`; undefined if the drill has no writer. */
export function rpoText({ rpo, writers }: Pick<Summary, 'rpo' | 'writers'>): string | undefined {
  if (writers.length === 0) return undefined;
  if (rpo === null) return 'unknown: the written rows were not read back';
  const twice = rpo.duplicated === 0 ? '' : `, ${rpo.duplicated} duplicated`;
  if (rpo.lost === 0) return `none of ${rpo.acked} acknowledged writes lost${twice}`;
  return `${measureText(rpo)}, ${rpo.lost} of ${rpo.acked} acknowledged writes lost${twice}`;
}

/** A loss as text: `rows@node-1: 42 rows within 4.20 s (…), from +1.234 s on`. */
function lossText(loss: RowLoss): string {
  const held = Object.entries(loss.copies ?? {}).filter(([, rows]) => rows > 0);
  const where =
    held.length === 0
      ? ''
      : `; held before the heal: ${held.map(([host, n]) => `${n} on ${host}`).join(', ')}`;
  return `${loss.path}: ${counted(loss.rows, 'row')} within ${measureText(loss)}, from ${offsetText(loss.fromMs)} on${where}`;
}

function staleText({ reads }: WriterSummary): string {
  const { count, failed, stale, behindMs, staleFor } = reads;
  const words = `${stale} of ${count - failed} stale`;
  return behindMs === null
    ? words
    : `${words}, ${measureText(staleFor)} in all, up to ${durationText(behindMs)} behind`;
}

/** The outcome of each writer's rows as text lines; empty without a writer. */
export function rowLines({ writers }: Summary): string[] {
  return writers.flatMap((w) => [
    '',
    `rows of ${plain(w.id)}`,
    ...aligned([
      ['  written', `${w.acked} acknowledged, ${w.refused} refused, ${w.indeterminate} indeterminate`],
      ['  found', plain(foundText(w))],
      ...w.losses.slice(0, lossLimit).map((loss) => ['  lost', plain(lossText(loss))]),
      ['  reads', staleText(w)],
    ]),
  ]);
}

/** Maximum losses shown; the rest is in summary.json. */
const lossLimit = 20;

function foundText({ found }: WriterSummary): string {
  if (found === null) return 'not read back';
  const odd = [
    found.duplicated > 0 ? `${found.duplicated} duplicated` : undefined,
    found.phantom > 0 ? `${found.phantom} phantom (present, but refused or never sent)` : undefined,
  ].filter((words) => words !== undefined);
  const open = found.indeterminatePresent + found.indeterminateAbsent;
  return [
    `${found.present} acknowledged rows present, ${found.lost} lost`,
    ...(open === 0 ? [] : [`${found.indeterminatePresent} of ${open} indeterminate rows present`]),
    ...odd,
  ].join('; ');
}

/** The section on each writer's rows, losses, and stale reads; empty without a writer. */
export function rowSection(summary: Summary): Section {
  const { writers } = summary;
  const title = 'Written rows';
  if (writers.length === 0) return { title, blocks: [] };
  const zero = effectOrStart(summary);
  const rest = { limit: lossLimit, where: 'summary.json' };
  const of = (n: number | undefined) => (n === undefined ? '?' : String(n));
  return {
    title,
    blocks: [
      ...table(
        [
          'writer',
          'acknowledged',
          'present',
          { strong: 'lost' },
          'RPO',
          'duplicated',
          'refused',
          'phantom',
          'indeterminate',
          'indeterminate, present',
        ],
        writers.map(({ id, acked, refused, indeterminate, found, rpo }) => [
          id,
          String(acked),
          of(found?.present),
          { strong: of(found?.lost) },
          rpo === null ? 'not read back' : found?.lost === 0 ? 'nothing lost' : measureText(rpo),
          of(found?.duplicated),
          String(refused),
          of(found?.phantom),
          String(indeterminate),
          of(found?.indeterminatePresent),
        ]),
      ),
      ...cutTable(
        [
          'lost, written through',
          'rows',
          'from',
          'to',
          'written within (bounds)',
          `after ${zero}`,
          'held before the heal',
        ],
        writers
          .flatMap((w) => w.losses)
          .map((l) => [
            l.path,
            String(l.rows),
            l.startAt,
            l.endAt,
            measureText(l),
            offsetText(l.fromMs),
            Object.entries(l.copies ?? {})
              .map(([host, rows]) => `${rows} on ${host}`)
              .join(', '),
          ]),
        rest,
      ),
      ...table(
        ['parallel reads', 'reads', 'failed', 'stale', 'stale for (bounds)', 'maximum lag'],
        writers.map(({ id, reads }) => [
          id,
          String(reads.count),
          String(reads.failed),
          String(reads.stale),
          measureText(reads.staleFor),
          reads.behindMs === null ? '' : `${durationText(reads.behindMs)} behind`,
        ]),
      ),
      ...cutTable(
        ['stale, read through', 'reads', 'from', 'to', 'duration (bounds)', `after ${zero}`, 'maximum lag'],
        writers
          .flatMap((w) => w.reads.windows)
          .map((s) => [
            s.path,
            String(s.reads),
            s.startAt,
            s.endAt ?? 'still stale at the end',
            measureText(s),
            offsetText(s.fromMs),
            `${durationText(s.behindMs)} behind`,
          ]),
        rest,
      ),
      text(
        `The RPO is the time from the first to the last lost acknowledged write. Each path's clients wrote every ${writers.map((w) => limitText(w.spacingMs)).join(' or ')}, so a shorter loss may be missed. The bounds come from the time between sending a write and its answer, because the commit lies in between. A write without a clear answer is indeterminate and never counts as lost. A read is stale if it misses a row that was acknowledged before the read was sent and that is present at the end.`,
      ),
    ],
  };
}
