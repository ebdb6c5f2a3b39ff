import type { Plan } from '../../../src/core/plan.ts';
import { makePlans, openScenario } from '../../../src/scenario/planner.ts';
import { parseSource } from '../../../src/scenario/source.ts';
import type { TargetInput } from '../../../src/scenario/target-planner.ts';

/** What a file says, as it would be written in YAML. */
export type FileContent = Readonly<Record<string, unknown>>;

/** A probe as the target file has it; durations in ms. */
export interface ProbeText {
  readonly id: string;
  readonly on?: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly burstMs?: number;
  /** What its answers say. */
  readonly value?: string;
  /** It reads its hosts' journals for these marks. */
  readonly marks?: readonly string[];
}

/** A duration as files have it. */
export function msText(ms: number): string {
  return `${Math.round(ms)}ms`;
}

/** An HTTP probe, or one of journals, as an entry of the target file. */
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

/** A target of two hosts. */
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

/** JSON is YAML: the content as a file that was read. */
function inputOf(path: string, content: FileContent): TargetInput {
  return {
    source: parseSource(path, JSON.stringify(content, null, 1)),
    sha256: 'ab'.repeat(32),
    resolveFile: (file) => file,
  };
}

/** A scenario has to check something. */
const someCheck = { kind: 'rto', name: 'some check', max: '60s' };

/** The plan of a scenario with these checks against a target, by the planner. @throws InvalidInput */
export function planOf(target: FileContent, scenario: FileContent, checks: readonly FileContent[]): Plan {
  const whole = { ...scenario, checks: checks.length === 0 ? [someCheck] : checks };
  const [plan] = makePlans(openScenario(inputOf('simulated.yaml', whole)), () =>
    inputOf('target.yaml', target),
  );
  if (plan === undefined) throw new Error('the planner made no plan');
  return plan;
}
