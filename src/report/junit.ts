/* oxlint-disable no-control-regex -- XML 1.0 has no place for them, however they are written */
import junit, { type Builder, type TestSuite } from 'junit-report-builder';
import { stripControlCharactersInLines } from '../core/control-characters.ts';
import type { CheckResult, Measure, Summary } from '../core/summary.ts';

/** What a JUnit file tells besides its drills. */
export interface JunitExtras {
  /** Drills that should have been run and were not: name and why. */
  readonly notRun?: readonly { readonly name: string; readonly why: string }[];
  /** Why the command itself ended before its drills. */
  readonly error?: string;
}

/** How a case came out: nothing for one that passed. */
interface Outcome {
  readonly element: 'failure' | 'error';
  readonly type: string;
  readonly message: string;
  readonly text?: string;
}

interface Case {
  readonly name: string;
  readonly seconds: number;
  readonly outcome: Outcome | undefined;
}

/**
 * junit.xml: a suite for each drill, a case for each check, and one for the drill itself. What the stack did not do is a
 * failure; what is not known, was refused or is not proven healed is an error. Names are unique, so that readers that tell cases by
 * them alone (GitLab's) lose none; they are the same every night, so that others see their history.
 */
export function renderJunit(summaries: readonly Summary[], { notRun = [], error }: JunitExtras = {}): string {
  const unique = namer();
  const suites = [
    ...summaries.map((summary) => drillSuite(summary, unique)),
    ...notRun.map(({ name, why }) => wordSuite(unique(name), 'not-run', why)),
    ...(error === undefined ? [] : [wordSuite(unique('firedrill'), 'command', error)]),
  ];
  // Its types speak of a default export; what there is is the builder itself.
  const builder = (junit as unknown as Builder).newBuilder().name('firedrill');
  for (const suite of suites) addSuite(builder.testSuite(), suite);
  return `${builder.build()}\n`;
}

interface Suite {
  readonly name: string;
  readonly classname: string;
  readonly seconds: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string | undefined;
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly cases: readonly Case[];
}

/** Gives each name once: the second of a kind gets ` #2`. */
function namer(): (name: string) => string {
  const given = new Set<string>();
  return (name) => {
    let own = name;
    for (let n = 2; given.has(own); n++) own = `${name} #${n}`;
    given.add(own);
    return own;
  };
}

function drillSuite(summary: Summary, unique: (name: string) => string): Suite {
  const { scenario, target, startedAt, endedAt } = summary;
  const name = unique(scenario.name);
  const seconds = Math.max(0, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000);
  const within = namer();
  return {
    name,
    classname: `${target}.${scenario.name}`,
    seconds,
    startedAt,
    properties: propertiesOf(summary),
    cases: [
      { name: within(`${name}: drill`), seconds, outcome: drillOutcome(summary) },
      ...summary.checks.map((check) => ({
        name: within(`${name}: ${check.name}`),
        seconds: (check.measured?.ms ?? 0) / 1000,
        outcome: checkOutcome(check, summary),
      })),
    ],
  };
}

function wordSuite(name: string, type: string, why: string): Suite {
  const outcome: Outcome = { element: 'error', type, message: why };
  return {
    name,
    classname: name,
    seconds: 0,
    startedAt: undefined,
    properties: [],
    cases: [{ name: `${name}: drill`, seconds: 0, outcome }],
  };
}

/** Whether the drill was one, and healed; what its checks say stands with them. */
function drillOutcome(summary: Summary): Outcome | undefined {
  const { verdict, healed, refused, reasons, checks } = summary;
  const own = reasons.filter((reason) => !checks.some((check) => reason.startsWith(`${check.name}: `)));
  const told = own.length > 0 ? own : reasons;
  const outcome = (element: Outcome['element'], type: string): Outcome => ({
    element,
    type,
    message: told[0] ?? verdict,
    ...(told.length > 1 ? { text: told.join('\n') } : {}),
  });
  if (!healed) return outcome('error', 'not-healed');
  if (refused === true) return outcome('error', 'refused');
  const explained = checks.some((check) => check.status === verdict);
  if (verdict === 'pass' || (explained && own.length === 0)) return undefined;
  return verdict === 'fail' ? outcome('failure', 'gate') : outcome('error', 'inconclusive');
}

function checkOutcome(
  { name, kind, status, observed, limit }: CheckResult,
  { reasons }: Summary,
): Outcome | undefined {
  if (status === 'pass') return undefined;
  const why = reasons.find((reason) => reason.startsWith(`${name}: `));
  return {
    element: status === 'fail' ? 'failure' : 'error',
    type: kind,
    message: `${observed}; limit: ${limit}`,
    ...(why === undefined ? {} : { text: why }),
  };
}

function propertiesOf(summary: Summary): Suite['properties'] {
  const { runId, scenario, target, label, verdict, healed, rto, downtime, redundancy, rpo } = summary;
  const measured = (name: string, m: Measure | null): (readonly [string, string])[] =>
    m === null
      ? []
      : [
          [`${name}-ms`, String(m.ms)],
          [`${name}-min-ms`, String(m.minMs)],
          [`${name}-max-ms`, String(m.maxMs)],
        ];
  return [
    ['run-id', runId],
    ['scenario', scenario.path],
    ['scenario-sha256', scenario.sha256],
    ['target', target],
    ...(label === undefined ? [] : [['label', label] as const]),
    ['verdict', verdict],
    ['healed', String(healed)],
    ...measured('rto', rto),
    ...measured('downtime', downtime),
    ...measured('redundancy', redundancy),
    ...measured('rpo', rpo),
    ...(rpo === null ? [] : [['rows-lost', String(rpo.lost)] as const]),
  ];
}

function addSuite(to: TestSuite, { name, classname, seconds, startedAt, properties, cases }: Suite): void {
  to.name(legal(name)).time(rounded(seconds));
  // The schemas want it without a zone; it is UTC.
  if (startedAt !== undefined) to.timestamp(startedAt.slice(0, 19));
  for (const [key, value] of properties) to.property(key, legal(value));
  for (const one of cases) {
    const added = to.testCase().name(legal(one.name)).className(legal(classname)).time(rounded(one.seconds));
    if (one.outcome === undefined) continue;
    const { element, type, message, text } = one.outcome;
    if (element === 'error') added.error(legal(message), type, text && legal(text));
    else {
      added.failure(legal(message), type);
      if (text !== undefined) added.stacktrace(legal(text));
    }
  }
}

/** Seconds, to the millisecond. */
function rounded(seconds: number): number {
  return Number(seconds.toFixed(3));
}

/** Longer texts are cut: a file for a CI server is read whole, and shown. Characters. */
const longest = 2000;

/**
 * Text as XML 1.0 can have it (https://www.w3.org/TR/xml/#charsets) and a page may show it: without control characters, and
 * with U+FFFD for lone surrogates and non-characters.
 */
function legal(text: string): string {
  const cut =
    text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length - longest} more characters)`;
  return stripControlCharactersInLines(cut.toWellFormed()).replace(/[\ufffe\uffff]/g, '\ufffd');
}
