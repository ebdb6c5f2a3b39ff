import type { Plan } from '../../../src/core/plan.ts';
import { makePlans, openScenario } from '../../../src/scenario/planner.ts';
import { parseSource } from '../../../src/scenario/source.ts';
import type { TargetInput } from '../../../src/scenario/target-planner.ts';

/** Content of a YAML file. */
export type FileContent = Readonly<Record<string, unknown>>;

/** A probe of the target file; durations in ms. */
export interface ProbeText {
  readonly id: string;
  readonly on?: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly burstMs?: number;
  /** Name of the value in its answers. */
  readonly value?: string;
  /** Marks that it reads from its hosts' journals. */
  readonly marks?: readonly string[];
}

/** A duration in file syntax. */
export function msText(ms: number): string {
  return `${Math.round(ms)}ms`;
}

/** An HTTP or journal probe as an entry of the target file. */
function probeContent({ id, on, intervalMs, timeoutMs, burstMs, value, marks }: ProbeText): FileContent {
  const url = on === undefined ? `http://198.18.9.10/${id}` : `http://\${address}/${id}`;
  return {
    id,
    ...(marks === undefined
      ? { kind: 'http', url }
      : { kind: 'journal', marks: marks.map((name) => ({ name, match: name })) }),
    ...(on === undefined ? {} : { on }),
    interval: msText(intervalMs),
    timeout: msText(timeoutMs),
    ...(burstMs === undefined ? {} : { burst: msText(burstMs) }),
    ...(value === undefined ? {} : { value }),
  };
}

/** A target with two hosts. */
export function targetContent(
  probes: readonly ProbeText[],
  more: FileContent & { readonly steady: FileContent },
): FileContent {
  return {
    name: 'simulated',
    environment: 'test',
    hosts: {
      'node-1': { transport: 'docker', container: 'node-1', address: '198.18.9.1' },
      'node-2': { transport: 'docker', container: 'node-2', address: '198.18.9.2' },
    },
    probes: probes.map(probeContent),
    ...more,
  };
}

/** The content as a file that was read; JSON is valid YAML. */
function inputOf(path: string, content: FileContent): TargetInput {
  return {
    source: parseSource(path, JSON.stringify(content, null, 1)),
    sha256: 'ab'.repeat(32),
    resolveFile: (file) => file,
  };
}

/** A scenario needs at least one check. */
const someCheck = { kind: 'rto', name: 'some check', max: '60s' };

/** The planner's plan of a scenario with these checks. @throws InvalidInput */
export function planOf(target: FileContent, scenario: FileContent, checks: readonly FileContent[]): Plan {
  const whole = { ...scenario, checks: checks.length === 0 ? [someCheck] : checks };
  const [plan] = makePlans(openScenario(inputOf('simulated.yaml', whole)), () =>
    inputOf('target.yaml', target),
  );
  if (plan === undefined) throw new Error('plan the scenario: the planner returned no plan');
  return plan;
}
