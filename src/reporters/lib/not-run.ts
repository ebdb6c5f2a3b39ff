import type { FailureTable } from '../../report/table.ts';

/** A table's drills that were not run, each once: name and reason. */
export function notRunIn(table: FailureTable | undefined): readonly { name: string; why: string }[] {
  const drills = new Map(
    (table?.rows ?? []).flatMap((row) => row.drills).map((drill) => [drill.number, drill]),
  );
  return [...drills.values()].flatMap(({ scenario, notRun }) =>
    notRun === null ? [] : [{ name: scenario, why: notRun }],
  );
}
