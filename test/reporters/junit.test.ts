// Validates junit.xml with libxml2 against a schema, and reads it with junitparser.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { summarize } from '../../src/analysis/summarize.ts';
import type { Summary } from '../../src/core/summary.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { hostileDrill } from '../../src/report/testing/hostile-drill.ts';
import { environment, program } from './lib/readers.ts';

const reports = join(import.meta.dirname, '../../reports');
const schema = join(import.meta.dirname, 'lib/junit.xsd');

function example(name: string): Summary {
  return JSON.parse(readFileSync(join(reports, name, 'summary.json'), 'utf8')) as Summary;
}

const examples = readdirSync(reports)
  .filter((name) => name.startsWith('example-'))
  .map(example);
const hostile = summarize(hostileDrill().read());

/** libxml2's errors for a file; empty if the schema accepts it. */
async function problems(xml: string): Promise<string> {
  const { exitCode, stderr } = await execa(
    program('xmllint'),
    ['--noout', '--nonet', '--schema', schema, '-'],
    {
      input: xml,
      reject: false,
      env: environment,
    },
  );
  return exitCode === 0 ? '' : stderr;
}

const reading = `
import json, sys
from junitparser import JUnitXml, Failure, Error
def outcome(case):
    return [[r._tag, r.message, r.text] for r in case.result]
print(json.dumps([{'name': s.name, 'tests': s.tests, 'failures': s.failures, 'errors': s.errors,
  'properties': {p.name: p.value for p in s.properties()},
  'cases': [[c.name, c.classname, outcome(c)] for c in s]} for s in JUnitXml.fromstring(sys.stdin.buffer.read())]))
`;

interface ReadSuite {
  readonly name: string;
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly cases: readonly (readonly [name: string, classname: string, outcome: readonly string[][]])[];
}

async function read(xml: string): Promise<readonly ReadSuite[]> {
  const { stdout } = await execa('python3', ['-c', reading], { input: xml, env: environment });
  return JSON.parse(stdout) as ReadSuite[];
}

const [first] = examples;
if (first === undefined) throw new Error(`read the examples: no example-* folder in ${reports}`);
const failed: Summary = {
  ...first,
  verdict: 'fail',
  reasons: first.checks.map((check) => `${check.name}: too long`),
  checks: first.checks.map((check, i) => ({ ...check, status: i === 0 ? 'fail' : 'inconclusive' })),
};

describe('junit.xml', () => {
  test.each([
    ['the examples', () => renderJunit(examples)],
    ['repeats', () => renderJunit([first, first, first])],
    ['a drill that failed', () => renderJunit([failed])],
    ['hostile texts', () => renderJunit([hostile, { ...hostile, healed: false }])],
    ['drills that were not run', () => renderJunit([], { notRun: [{ name: 'x', why: 'y' }], error: 'z' })],
    ['nothing', () => renderJunit([])],
  ])('matches the schema: %s', async (_, xml) => {
    expect(await problems(xml())).toBe('');
  });

  test.each([
    ['a control character', (xml: string) => xml.replace('name="run-id"', 'name="run-id&#1;"')],
    ['an unescaped <', (xml: string) => xml.replace('name="run-id"', 'name="<"')],
    ['two cases with the same name', (xml: string) => xml.replace(/(<testcase [^\n]*\/>)/, '$1\n$1')],
    ['a time with a unit', (xml: string) => xml.replace(/time="([\d.]+)"/, 'time="$1s"')],
    ['a timestamp with a time zone', (xml: string) => xml.replace(/timestamp="([^"]*)"/, 'timestamp="$1Z"')],
    ['a missing count', (xml: string) => xml.replace(/ errors="\d+"/, '')],
  ])('the schema refuses %s', async (_, spoil) => {
    expect(await problems(spoil(renderJunit([first])))).not.toBe('');
  });

  test('is read correctly by junitparser', async () => {
    const suites = await read(renderJunit([first, failed]));
    const { name } = first.scenario;
    expect(suites.map((suite) => [suite.name, suite.tests, suite.failures, suite.errors])).toEqual([
      [name, first.checks.length + 1, 0, 0],
      [`${name} #2`, first.checks.length + 1, 1, first.checks.length - 1],
    ]);
    expect(suites[0]?.properties).toMatchObject({
      'run-id': first.runId,
      'rto-ms': String(first.rto?.ms),
      target: first.target,
    });
    const [check] = first.checks;
    expect(suites[1]?.cases[1]).toEqual([
      `${name} #2: ${check?.name}`,
      `${first.target}.${name}`,
      [['failure', `${check?.observed}; limit: ${check?.limit}`, `${check?.name}: too long`]],
    ]);
  });

  test('has hostile texts as text', async () => {
    const [suite] = await read(renderJunit([hostile]));
    expect(suite?.cases).toHaveLength(hostile.checks.length + 1);
    expect(suite?.name).toContain('</style><script>globalThis.pwned = 1</script>');
  });
});
