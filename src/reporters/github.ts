import { appendFileSync, statSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import { renderDrillsMarkdown } from '../report/drills-markdown.ts';
import {
  type Annotation,
  annotationLine,
  drillAnnotation,
  fitted,
  shownAnnotations,
} from '../report/github.ts';
import { renderTableMarkdown } from '../report/table-text.ts';
import { worstVerdict } from '../report/verdict-text.ts';
import { InvalidInput } from '../scenario/source.ts';
import { cannotWrite } from '../engine/disk.ts';
import type { FinishedRun, ReporterKind } from './reporter.ts';

/** Limit of a step summary: GitHub rejects a longer one completely. */
const maxSummaryBytes = 1_048_576;
const cutText = '\n\nThis summary is cut at 1 MiB. The reports have the rest.\n';

/** For a step of GitHub Actions: annotations on stderr, the step summary, and outputs. */
export const github: ReporterKind = {
  name: 'github',
  describe: 'annotations, step summary, and outputs for GitHub Actions',
  create: (_, { env, out, workflowCommand }) => ({
    runEnded(run) {
      const { drills, table, error } = run;
      const annotations = [
        ...drills.map(({ summary }) => drillAnnotation(summary)),
        ...(error === undefined ? [] : errorAnnotations(error)),
      ];
      // The runner reads both streams, but stdout may be data for a program.
      for (const annotation of shownAnnotations(annotations)) workflowCommand(annotationLine(annotation));
      const text =
        table === undefined
          ? renderDrillsMarkdown(
              drills.map(({ summary }) => ({ summary })),
              error?.message,
            )
          : renderTableMarkdown(table.table);
      append(env['GITHUB_STEP_SUMMARY'], (taken) => fitted(text, maxSummaryBytes - taken, cutText));
      append(env['GITHUB_OUTPUT'], () => outputsOf(run, out));
    },
  }),
};

/** An annotation for each problem of an invalid file. */
function errorAnnotations(error: Error): readonly Annotation[] {
  if (!(error instanceof InvalidInput))
    return [{ level: 'error', title: 'firedrill', message: messageOf(error) }];
  return error.problems.map(({ line, column, message }) => ({
    level: 'error',
    file: error.path,
    line,
    column,
    title: 'invalid input',
    message,
  }));
}

/** `verdict` (the worst), `rto-ms` (the longest, empty if none was measured), `exit-code`, `report` (the folder). */
function outputsOf({ drills, table, exitCode }: FinishedRun, out: string): string {
  const summaries = drills.map(({ summary }) => summary);
  const rtos = summaries.flatMap(({ rto }) => rto?.ms ?? []);
  const [only, ...others] = drills;
  const folder = table?.folder ?? (only !== undefined && others.length === 0 ? only.folder : out);
  const outputs = {
    verdict: worstVerdict(summaries),
    'rto-ms': rtos.length === 0 ? '' : String(Math.max(...rtos)),
    'exit-code': String(exitCode),
    report: folder.replaceAll(/[\r\n]/g, ' '),
  };
  return Object.entries(outputs)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Appends to a file of the step, if the runner has one. @throws DrillError `harness` if the write fails */
function append(path: string | undefined, textAfter: (takenBytes: number) => string): void {
  if (path === undefined || path === '') return;
  try {
    const taken = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    appendFileSync(path, textAfter(taken));
  } catch (error) {
    throw cannotWrite(path, error, 'run it again');
  }
}
