import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SampleCostRow } from '../../bench/observer/messages.ts';
import { type CostConditions, type SampleCosts, sampleCostsFile } from '../../bench/observer/sample-costs.ts';

/** The costs that `npm run bench -- --only observer` measured last. */
export function readSampleCosts(): SampleCosts {
  const path = join(import.meta.dirname, '../../reports/bench', sampleCostsFile);
  return JSON.parse(readFileSync(path, 'utf8')) as SampleCosts;
}

/** The section on what the tables of costs mean, and where they were measured. */
export function costsSection(costs: SampleCosts): string {
  const { conditions, samples, countedAlone } = costs;
  const alone = countedAlone ? '' : ' Processes that other programs started meanwhile are counted, too.';
  return `## What a sample costs

Each kind says what one sample costs, and what the tools cost that people use instead. CPU time is in ms. That of the prober is of
its process and of the commands that it starts on its own machine; that of the host is of the server that is asked, or of the
commands that run there. Processes and threads are those that are started for the sample, anywhere.${alone}

\`npm run bench -- --only observer\` measured this on ${conditionWords(costs)}.
It asked over loopback, ${samples} samples of each kind. ${otherWork(conditions)}
`;
}

/** What a sample of a kind costs: its rows, or that it was not measured and why. */
export function costsOfKind({ rows, absent }: SampleCosts, kind: string): string {
  const own = rows.filter((row) => row.kind === kind);
  const reasons = absent.filter((one) => one.kind === kind).map(({ why }) => why);
  const parts = [
    ...(own.length === 0 ? [] : [costTable(own)]),
    ...(own.some(({ peer }) => !peer) ? [] : [notMeasured(reasons)]),
    ...(own.some(({ peer }) => !peer) ? reasons.map((why) => `Not measured: ${why}.`) : []),
  ];
  return parts.join('\n\n');
}

function notMeasured(reasons: readonly string[]): string {
  const why = reasons.length === 0 ? '' : `: on that machine ${reasons.join('; ')}`;
  return `CPU time and processes were not measured${why}.`;
}

function costTable(rows: readonly SampleCostRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(['sample', 'CPU of the prober', 'CPU of the host', 'processes']),
    line(['---', '---', '---', '---']),
    ...rows.map(({ what, proberCpuMs, hostCpuMs, processes }) =>
      line([
        what,
        proberCpuMs.toFixed(2),
        hostCpuMs === null ? 'not measured' : hostCpuMs.toFixed(2),
        String(Number(processes.toFixed(1))),
      ]),
    ),
  ].join('\n');
}

/** `2026-11-29: 2 cores (AMD EPYC), Node 24.21, PostgreSQL 15 without TLS`; what was not recorded is left out. */
function conditionWords({ conditions, postgres }: SampleCosts): string {
  const { date, cores, cpu, memoryGib, system, kernel, node } = conditions;
  const parts = [
    `${cores} cores (${cpu})`,
    ...(memoryGib === null ? [] : [`${memoryGib} GiB`]),
    ...(system === null ? [] : [system]),
    ...(kernel === null ? [] : [`Linux ${kernel}`]),
    `Node ${node}`,
    ...(postgres === null ? [] : [`PostgreSQL ${postgres} without TLS`]),
  ];
  return `${date}: ${parts.join(', ')}`;
}

/** From this load average on, CPU times are higher than on a quiet machine. */
const quietLoad = 0.5;

function otherWork({ cores, loadBefore, cpuPressureBefore }: CostConditions): string {
  const pressure =
    cpuPressureBefore === null ? '' : `, CPU pressure ${Math.round(100 * cpuPressureBefore)} %`;
  const before = `load average ${Number(loadBefore.toFixed(1))}${pressure}`;
  return loadBefore <= quietLoad * cores
    ? `Nothing else was at work (${before}).`
    : `Other work ran on the machine (${before}).
CPU times are those of the processes themselves, and somewhat higher than on a quiet machine.`;
}
