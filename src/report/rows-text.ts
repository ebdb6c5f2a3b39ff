import { measureText } from '../analysis/format.ts';
import type { OperationDowntime, OperationOutage, RowLoss, Summary, WriterSummary } from '../core/summary.ts';
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

/** The RTO of each writer's writes as text, to be read next to that of the service; empty if no fault took effect. */
export function writeRtoTexts({ faults, writers }: Pick<Summary, 'faults' | 'writers'>): string[] {
  if (faults.length === 0) return [];
  return writers.flatMap(({ id, outages }) =>
    outages === undefined ? [] : [`${recoveredText(outages.writes)}${writers.length > 1 ? ` (${id})` : ''}`],
  );
}

/** `29.47 s (…) for all clients, 21.38 s (…) for the first`. */
function recoveredText({ recovered: { first, all }, worstClient }: OperationOutage): string {
  if (worstClient === null) return 'not measured: no client wrote';
  if (first === null) return 'no client recovered for good';
  if (all === null) return `not for all clients; ${measureText(first)} for the first`;
  if (all.ms === 0)
    return all.maxMs === 0 ? 'no outage' : `no outage seen (up to ${durationText(all.maxMs)})`;
  const last = `${measureText(all)} for all clients`;
  return first.ms === all.ms ? last : `${last}, ${measureText(first)} for the first`;
}

/** `11.03 s (…) in 2 outages, the longest 9.00 s (…)`. */
function downtimeText(downtime: OperationDowntime): string {
  const { outages, longest, maxMs } = downtime;
  if (outages === 0) return `no outage seen (up to ${durationText(maxMs)})`;
  const sum = `${measureText(downtime)} in ${counted(outages, 'outage')}`;
  return outages === 1 ? sum : `${sum}, the longest ${measureText(longest)}`;
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
      ...(w.outages === undefined
        ? []
        : [
            ['  no write', downtimeText(w.outages.writes.service)] as const,
            ['  no read', downtimeText(w.outages.reads.service)] as const,
          ]),
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
      ...table(
        [
          'outages of',
          'through',
          'down for (bounds)',
          'outages',
          'longest (bounds)',
          'first client recovered after',
          'all clients recovered after',
        ],
        writers.flatMap(({ id, paths, clients, outages }) =>
          outages === undefined
            ? []
            : [
                ...outageRows(`writes of ${id}`, clients, outages.writes),
                ...outageRows(`reads of ${id}`, paths.length, outages.reads),
              ],
        ),
      ),
      text(
        `The RPO is the time from the first to the last lost acknowledged write. Each path's clients wrote every ${writers.map((w) => limitText(w.spacingMs)).join(' or ')}, so a shorter loss may be missed. The bounds come from the time between sending a write and its answer, because the commit lies in between. A write without a clear answer is indeterminate and never counts as lost. A read is stale if it misses a row that was acknowledged before the read was sent and that is present at the end.${
          writers.some((w) => w.outages !== undefined)
            ? ' During an outage, no client of the paths completed an operation. Each client has its own connection, so a session that hangs is an outage of its client. A client has recovered when its outages are over for good.'
            : ''
        }`,
      ),
    ],
  };
}

/** Table rows on the outages of an operation: all paths together, each of several paths, and the worst of several clients. */
function outageRows(
  what: string,
  clients: number,
  { service, paths, worstClient, recovered }: OperationOutage,
): string[][] {
  const downtime = (through: string, one: OperationDowntime): string[] => [
    what,
    through,
    one.outages === 0 ? `up to ${durationText(one.maxMs)}` : measureText(one),
    String(one.outages),
    one.outages === 0 ? '' : measureText(one.longest),
  ];
  const back = (measure: OperationOutage['recovered']['all']) =>
    measure === null ? 'not recovered' : measureText(measure);
  return [
    [...downtime('all paths', service), back(recovered.first), back(recovered.all)],
    ...(paths.length < 2 ? [] : paths.map((path) => [...downtime(path.path, path), '', ''])),
    ...(worstClient === null || clients <= paths.length
      ? []
      : [[...downtime(worstClient.client, worstClient), '', '']]),
  ];
}
