import { parse } from 'yaml';
import { probeKind } from '../../src/probes/catalog.ts';
import { schemaOf } from '../../src/cli/commands/schema.ts';
import {
  checkExamples,
  type Examples,
  faultExamples,
  indented,
  modelExamples,
  probeExamples,
  writerExamples,
} from './examples.ts';
import { costsOfKind, costsSection, readSampleCosts } from './sample-costs.ts';
import { fieldTable, type Shape } from './schema-table.ts';

const made = '<!-- Made by `npm run docs` from the schemas; do not edit. -->';

/** The pages of the reference, by file name, with their text. */
export function referencePages(): ReadonlyMap<string, string> {
  const scenario = schemaOf('scenario') as Shape;
  const target = schemaOf('target') as Shape;
  const suite = schemaOf('suite') as Shape;
  const entries = (shape: Shape, list: string): readonly Shape[] =>
    shape.properties?.[list]?.items?.oneOf ?? [];
  const costs = readSampleCosts();
  const models = target.properties?.['models']?.additionalProperties;
  return new Map([
    ['README.md', overview()],
    [
      'scenario.md',
      page(
        'Scenario',
        `A file that says which fault to inject and what must hold. Durations have a unit: \`500ms\`, \`5s\`, \`2m\`, \`1h\`. Faults,
preparations and repairs are of the kinds in [faults.md](faults.md), checks of those in [checks.md](checks.md).`,
        fieldTable(scenario, (field) => ['faults.*', 'prepare.*', 'repair.*', 'checks.*'].includes(field)),
      ),
    ],
    [
      'faults.md',
      page(
        'Faults',
        `Entries of \`faults\`, \`prepare\` and \`repair\` of a [scenario](scenario.md).`,
        kinds(entries(scenario, 'faults'), faultExamples),
      ),
    ],
    [
      'checks.md',
      page(
        'Checks',
        `Entries of \`checks\` of a [scenario](scenario.md).`,
        kinds(entries(scenario, 'checks'), checkExamples),
      ),
    ],
    [
      'target.md',
      page(
        'Target',
        `A file that says what a stack is made of, and how to look at it. Probes are of the kinds in [probes.md](probes.md), writers of
those in [writers.md](writers.md), models of those in [models.md](models.md).`,
        fieldTable(target, (field) => ['probes.*', 'writers.*', 'models.*'].includes(field)),
      ),
    ],
    [
      'probes.md',
      page(
        'Probes',
        `Entries of \`probes\` of a [target](target.md).`,
        kinds(entries(target, 'probes'), probeExamples, {
          section: costsSection(costs),
          note: (kind, example) => `${costOfSample(kind, example)}\n${costsOfKind(costs, kind)}\n`,
        }),
      ),
    ],
    [
      'writers.md',
      page(
        'Writers',
        `Entries of \`writers\` of a [target](target.md): they write in drills that have a check on them.`,
        kinds(entries(target, 'writers'), writerExamples),
      ),
    ],
    [
      'models.md',
      page(
        'Models',
        `Entries of \`models\` of a [target](target.md), by name: settings from which times are predicted.`,
        kinds(typeof models === 'object' ? (models.oneOf ?? []) : [], modelExamples, { listed: false }),
      ),
    ],
    ['suite.md', page('Suite', 'A file that makes a failure table of scenarios.', fieldTable(suite))],
  ]);
}

/** What a sample costs, with the parameters of the kind's example. */
function costOfSample(kind: string, example: string): string {
  const found = probeKind(kind);
  if (found === undefined) throw new Error(`no probe kind ${kind}`);
  const given = parse(example) as Readonly<Record<string, unknown>>;
  const own = Object.entries(given).filter(([name]) => !commonFields.includes(name));
  const cost = found.cost(found.params.parse(Object.fromEntries(own)));
  const parts = [
    ...(cost.newConnections === 0 ? [] : ['one new TCP connection']),
    ...(cost.commands === 0
      ? []
      : [
          `one command, which starts ${cost.processes === 1 ? 'a process' : `${cost.processes} processes`} or more`,
        ]),
  ];
  const standing =
    cost.standingProcessesPerSecond === undefined
      ? ''
      : ` Between samples, a followed command starts ${cost.standingProcessesPerSecond} processes a second on its host.`;
  const once = found.together === true ? ' Instances that look from one host share it.' : '';
  return `\nCost of a sample like this one: ${parts.join(' and ') || 'no new connection and no command'}.${once}${standing}\n`;
}

/** Fields that every kind of probe has. */
const commonFields = ['kind', 'id', 'on', 'from', 'interval', 'timeout', 'burst', 'always'];

function overview(): string {
  const line = (file: string, words: string): string => `- [${file}](${file}): ${words}`;
  return page(
    'Reference',
    'Every field of the files, as the JSON Schemas in `schemas/` have it.',
    [
      line('scenario.md', 'which fault, and what must hold; its [faults](faults.md) and [checks](checks.md)'),
      line(
        'target.md',
        'hosts and how they are looked at; its [probes](probes.md), [writers](writers.md) and [models](models.md)',
      ),
      line('suite.md', 'a failure table'),
      '',
    ].join('\n'),
  );
}

function page(title: string, lead: string, body: string): string {
  return `${made}\n\n# ${title}\n\n${lead}\n\n${body}`;
}

/** A section for each kind, with its own fields; first the fields that all have. */
function kinds(
  options: readonly Shape[],
  examples: Examples,
  {
    listed = true,
    section = '',
    note = () => '',
  }: {
    readonly listed?: boolean;
    /** Before the sections of the kinds. */
    readonly section?: string;
    readonly note?: (kind: string, example: string) => string;
  } = {},
): string {
  const [first] = options;
  const names = Object.keys(first?.properties ?? {}).filter((name) => name !== 'kind');
  const common = names.filter((name) => options.every(({ properties = {} }) => name in properties));
  const shared =
    common.length === 0
      ? ''
      : `## What all kinds have\n\n${fieldTable(first ?? {}, (field) => !common.includes(field.replace(/[.[].*/, '')))}\n`;
  const sections = options.map((option) => {
    const kind = String(option.properties?.['kind']?.const);
    const about = option.properties?.['kind']?.description ?? '';
    const example = examples[kind];
    if (example === undefined) throw new Error(`scripts/docs/examples.ts has no example of ${kind}`);
    const entry = listed ? `- ${indented(example, 2).trimStart()}` : `name:\n${indented(example, 2)}`;
    const own = fieldTable(
      option,
      (field) => field === 'kind' || common.includes(field.replace(/[.[].*/, '')),
    );
    return `## \`${kind}\`\n\n${about}\n\n${own}\n\`\`\`yaml\n${entry}\n\`\`\`\n${note(kind, example)}`;
  });
  return shared + (section === '' ? '' : `${section}\n`) + sections.join('\n');
}
