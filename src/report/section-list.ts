import type { Analysis } from '../analysis/summarize.ts';
import type { Summary } from '../core/summary.ts';
import { rowSection } from './rows-text.ts';
import {
  faultSection,
  ownershipSection,
  phaseSection,
  probeSection,
  proberSection,
  roleSection,
  runSection,
  type Section,
  timelineSection,
  variableSection,
  windowSection,
} from './sections.ts';

/** The sections at the end of every drill report, in order. With the analysis, also the sections that need the log. */
export function tailSections(summary: Summary, analysis: Analysis | undefined): readonly Section[] {
  return [
    ownershipSection(summary),
    rowSection(summary),
    windowSection(summary),
    roleSection(summary),
    variableSection(summary),
    faultSection(summary),
    probeSection(summary),
    proberSection(summary),
    phaseSection(summary),
    ...(analysis === undefined ? [] : [timelineSection(analysis)]),
    runSection(summary, analysis?.log),
  ];
}
