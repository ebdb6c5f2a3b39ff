import type { Family } from './drill-script.ts';
import { judgeCase } from './judge-case.ts';
import { simulate } from './simulate.ts';
import { isViolation } from './tally.ts';

/** One case as text: its log, then the truth and the judged figures as comments. */
export async function dump(family: Family, seed: number): Promise<string> {
  const one = await simulate(family, seed);
  const { faults, changes, gates } = one.known;
  const truth = [
    `${family.name}, seed ${seed}: ${family.about}`,
    ...faults.map((fault) => `fault: ${JSON.stringify(fault)}`),
    ...[...changes].map(
      ([id, list]) =>
        `${id}: ${list.map(({ atMs, isUp }) => `${isUp ? 'up' : 'down'} from ${atMs.toFixed(3)}`).join(', ')}`,
    ),
    ...(one.script.truthText?.() ?? []),
    ...gates.map((gate) => `gate: ${JSON.stringify(gate)}`),
  ];
  const judged = judgeCase(one).map(
    (item) => `${isViolation(item) ? 'VIOLATION: ' : ''}${item.figure}: ${item.outcome}: ${item.detail}`,
  );
  return `${one.lines.join('\n')}\n${[...truth, ...judged].map((line) => `# ${line}\n`).join('')}`;
}
