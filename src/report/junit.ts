/* oxlint-disable no-control-regex -- XML 1.0 cannot have control characters, not even as entities */
import XMLBuilder from 'fast-xml-builder';
import { stripControlCharactersInLines } from '../core/control-characters.ts';
import type { CheckResult, Measure, Summary } from '../core/summary.ts';

/** Content of a JUnit file in addition to its drills. */
export interface JunitExtras {
  /** Planned drills that were not run: name and reason. */
  readonly notRun?: readonly { readonly name: string; readonly why: string }[];
  /** Why the command ended early. */
  readonly error?: string;
}

/** The problem of a case that did not pass. */
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
 * junit.xml: a suite for each drill, a case for each check, and a case for the drill itself. A failed check is a failure.
 * An inconclusive, refused, or unhealed drill is an error. Names are unique, because GitLab identifies cases by name alone.
 * Names are the same in every run, so that CI servers can show a case's history.
 */
export function renderJunit(summaries: readonly Summary[], { notRun = [], error }: JunitExtras = {}): string {
  const unique = namer();
  const suites = [
    ...summaries.map((summary) => drillSuite(summary, unique)),
    ...notRun.map(({ name, why }) => wordSuite(unique(name), 'not-run', why)),
    ...(error === undefined ? [] : [wordSuite(unique('firedrill'), 'command', error)]),
  ];
  const testsuites = {
    ...attributes({ name: 'firedrill', ...countsOf(suites.flatMap(({ cases }) => cases)) }),
    testsuite: suites.map(suiteNode),
  };
  return builder.build({ '?xml': attributes({ version: '1.0', encoding: 'UTF-8' }), testsuites });
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

/** Returns each name once: the second use of a name gets ` #2`. */
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

/** The drill's own problem; undefined if it passed, or if its checks explain its verdict. */
function drillOutcome(summary: Summary): Outcome | undefined {
  const { verdict, healed, refused, reasons, checks } = summary;
  const own = reasons.filter((reason) => !checks.some((check) => reason.startsWith(`${check.name}: `)));
  const reported = own.length > 0 ? own : reasons;
  const outcome = (element: Outcome['element'], type: string): Outcome => ({
    element,
    type,
    message: reported[0] ?? verdict,
    ...(reported.length > 1 ? { text: reported.join('\n') } : {}),
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

function suiteNode({ name, classname, seconds, startedAt, properties, cases }: Suite): Node {
  return {
    ...attributes({
      name: legal(name),
      time: rounded(seconds),
      // The JUnit schema has no time zone in timestamps; this one is UTC.
      ...(startedAt === undefined ? {} : { timestamp: startedAt.slice(0, 19) }),
      ...countsOf(cases),
    }),
    ...(properties.length === 0
      ? {}
      : {
          properties: {
            property: properties.map(([key, value]) => attributes({ name: key, value: legal(value) })),
          },
        }),
    testcase: cases.map((one) => caseNode(one, classname)),
  };
}

function caseNode({ name, seconds, outcome }: Case, classname: string): Node {
  const own = attributes({ name: legal(name), classname: legal(classname), time: rounded(seconds) });
  if (outcome === undefined) return own;
  const { element, type, message, text } = outcome;
  return {
    ...own,
    [element]: {
      ...attributes({ message: legal(message), type }),
      ...(text && { '#text': escaped(legal(text), inText) }),
    },
  };
}

function countsOf(cases: readonly Case[]): Readonly<Record<string, number>> {
  const count = (name: Outcome['element']): number =>
    cases.filter(({ outcome }) => outcome?.element === name).length;
  return { tests: cases.length, failures: count('failure'), errors: count('error'), skipped: 0 };
}

/** An element for the builder: attributes, text, and child elements. */
type Node = Readonly<Record<string, unknown>>;

const attributePrefix = '@';

function attributes(of: Readonly<Record<string, string | number>>): Node {
  return Object.fromEntries(
    Object.entries(of).map(([key, value]) => [attributePrefix + key, escaped(String(value), inAttribute)]),
  );
}

const builder = new XMLBuilder({
  attributeNamePrefix: attributePrefix,
  ignoreAttributes: false,
  format: true,
  suppressEmptyNode: true,
  suppressBooleanAttributes: false,
  // `escaped` does it, because the builder leaves line breaks in attributes.
  processEntities: false,
});

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

/** In the value of an attribute, an XML reader turns a line break that is not an entity into a space. */
const inAttribute = /[&<"\t\n\r]/g;
const inText = /[&<>]/g;

function escaped(text: string, special: RegExp): string {
  return text.replace(special, (character) => entities[character] ?? character);
}

/** Seconds, to the millisecond. */
function rounded(seconds: number): number {
  return Number(seconds.toFixed(3));
}

/** Longer texts are cut, because a CI server loads and shows the complete file. Characters. */
const longest = 2000;

/**
 * Text without characters that XML 1.0 cannot have (https://www.w3.org/TR/xml/#charsets): control characters are removed,
 * lone surrogates and non-characters become U+FFFD.
 */
function legal(text: string): string {
  const cut =
    text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length - longest} more characters)`;
  return stripControlCharactersInLines(cut.toWellFormed()).replace(/[\ufffe\uffff]/g, '\ufffd');
}
