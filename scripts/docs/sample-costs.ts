import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SampleCostRow } from '../../bench/observer/messages.ts';
import { type CostConditions, type SampleCosts, sampleCostsFile } from '../../bench/observer/sample-costs.ts';

/** The last result of `npm run bench -- --only observer`. */
export function readSampleCosts(): SampleCosts {
  const path = join(import.meta.dirname, '../../reports/bench', sampleCostsFile);
  return JSON.parse(readFileSync(path, 'utf8')) as SampleCosts;
}

/** The section that explains the tables of costs and the conditions of their measurement. */
export function costsSection(costs: SampleCosts): string {
  const { conditions, samples, countedAlone } = costs;
  const alone = countedAlone ? '' : ' Processes that other programs started in this time are also counted.';
  return `## What a sample costs

The section of each kind has a table with the cost of one sample, also for common other tools. CPU time is in ms. The CPU time of
the prober includes its process and its commands on its own machine. The CPU time of the host includes the probed server, or the
commands on that host. The processes include threads, on both machines.${alone}

\`npm run bench -- --only observer\` measured this on ${conditionText(costs)}.
The probes used loopback, with ${samples} samples of each kind. ${otherWork(conditions)}
`;
}

/** The costs of a sample of a kind: its rows, or the reason why it was not measured. */
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

/** `2026-11-29: 2 cores (AMD EPYC), Node 24.21, PostgreSQL 15 without TLS`, without unrecorded parts. */
function conditionText({ conditions, postgres }: SampleCosts): string {
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

/** Above this load average per core, CPU times are higher than on an idle machine. */
const quietLoad = 0.5;

function otherWork({ cores, loadBefore, cpuPressureBefore }: CostConditions): string {
  const pressure =
    cpuPressureBefore === null ? '' : `, CPU pressure ${Math.round(100 * cpuPressureBefore)} %`;
  const before = `load average ${Number(loadBefore.toFixed(1))}${pressure}`;
  return loadBefore <= quietLoad * cores
    ? `No other work ran on the machine (${before}).`
    : `Other work ran on the machine (${before}).
The CPU times are a little higher than on an idle machine.`;
}
