import { families } from './families.ts';
import { renderTable, totals } from './table.ts';
import type { FamilyTally } from './tally.ts';

/** reports/truth/README.md. */
export function renderReport(
  tallies: readonly FamilyTally[],
  { logs, seed }: { readonly logs: number; readonly seed: number },
): string {
  const { cases, judged, violations, checks, inconclusive } = totals(tallies);
  const share = checks === 0 ? 0 : Math.round((1000 * inconclusive) / checks) / 10;
  const about = families
    .filter(({ name }) => tallies.some(({ family }) => family === name))
    .map(({ name, about: what }) => `| \`${name}\` | ${what} |`);
  return `# The analysis against a known truth

\`npm run test:truth -- --logs ${logs} --seed ${seed} --report\` simulated ${cases} drills whose truth is known. It gave their
event logs to the analysis and judged ${judged} figures and verdicts. **${violations} were wrong.** ${inconclusive} of ${checks} checks
(${share} %) were inconclusive.

Services, network, and faults are simulated. The planner, the schedule of the probes, the gates, the wait for the
recovery, the log reader, and the analysis are the real ones.

| column | meaning |
| ------ | ------- |
| held, right | The bounds hold the truth; the verdict is right. |
| hidden | They do not, but only because of changes that no sample met. |
| one hidden | As \`hidden\`, and the longest outage that no sample met is not held by itself. |
| inconclusive | The check is inconclusive. |
| violations | No course of events that the samples leave possible fits the bounds or the verdict. |
| seeds | The smallest seeds of violations: \`npm run test:truth -- --family NAME --seed N --one\` shows the case. |

${renderTable(tallies)}

| family | cases |
| ------ | ----- |
${about.join('\n')}
`;
}
