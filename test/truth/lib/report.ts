import { families } from './families.ts';
import { renderTable, totals } from './table.ts';
import type { FamilyTally } from './tally.ts';

/** reports/truth/README.md. */
export function renderReport(
  tallies: readonly FamilyTally[],
  { logs, seed }: { readonly logs: number; readonly seed: number },
): string {
  const { cases, judged, violations, checks, inconclusive, refused } = totals(tallies);
  const share = checks === 0 ? 0 : Math.round((1000 * inconclusive) / checks) / 10;
  const about = families
    .filter(({ name }) => tallies.some(({ family }) => family === name))
    .map(({ name, about: what }) => `| \`${name}\` | ${what} |`);
  return `# The analysis against a known truth

\`npm run test:truth -- --logs ${logs} --seed ${seed} --report\` simulated ${cases} drills with a known truth. It passed their
event logs to the analysis and judged ${judged} figures and verdicts. **${violations} were wrong.** ${inconclusive} of ${checks} checks
(${share} %) were inconclusive. The planner refused ${refused} more checks: the intervals of their probes cannot decide their limits.

Services, network, and faults are simulated. The planner, the schedule of the probes, the gates, the wait for the
recovery, the log reader, and the analysis are the real ones.

| column | meaning |
| ------ | ------- |
| held, right | The bounds hold the truth; the verdict is right. |
| hidden | The bounds or the verdict miss the truth, but only because of changes that no sample met. |
| one hidden | As \`hidden\`. In addition, the bounds are too short for the longest outage that no sample met. |
| inconclusive | The check is inconclusive. |
| violations | The samples leave no course of events possible that fits the bounds or the verdict. |
| seeds | The smallest seeds of violations. \`npm run test:truth -- --family NAME --seed N --one\` prints the case. |

${renderTable(tallies)}

| family | cases |
| ------ | ----- |
${about.join('\n')}
`;
}
