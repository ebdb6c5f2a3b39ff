import { z } from 'zod';
import type { Finding } from '../core/finding.ts';
import type { Host } from '../core/host.ts';
import { parseJson } from '../core/parse-json.ts';
import { fillPlaceholders } from '../core/placeholders.ts';
import type { PlannedFault, PlannedHost, PlannedProbe } from '../core/plan.ts';
import { suggest } from '../scenario/suggest.ts';
import type { HostFacts } from './host-facts.ts';

/** What names containers on a host. */
export interface ContainerUsers {
  /** Probes whose commands run on the host. */
  readonly probes: readonly PlannedProbe[];
  /** Preparations and faults that may hit the host. */
  readonly steps: readonly PlannedFault[];
  readonly signal: AbortSignal;
}

/** Longest wait for one answer of the engine, ms. */
const askTimeoutMs = 5000;

const stateSchema = z.object({ status: z.string(), policy: z.string(), init: z.boolean().nullish() });
const stateFormat =
  '{"status":{{json .State.Status}},"policy":{{json .HostConfig.RestartPolicy.Name}},"init":{{json .HostConfig.Init}}}';

/**
 * Whether the engine of a host knows the containers that probes and faults name there, and what happens if they exit. Empty without
 * an engine, for which there is a finding of its own. Only reads.
 */
export async function containerFindings(
  planned: PlannedHost,
  host: Host,
  { engine, uid }: Pick<HostFacts, 'engine' | 'uid'>,
  users: ContainerUsers,
): Promise<readonly Finding[]> {
  if (engine === undefined) return [];
  const nameIn = (user: PlannedProbe | PlannedFault): string[] => namedBy(user, planned);
  const names = [...new Set([...users.probes, ...users.steps].flatMap(nameIn))];
  const ask = async (argv: readonly string[]): Promise<string | undefined> => {
    const done = await host.exec(argv, { timeoutMs: askTimeoutMs, signal: users.signal });
    return done.exitCode === 0 ? done.stdout : undefined;
  };
  return Promise.all(
    names.map((container) => {
      const faults = users.steps.filter((step) => nameIn(step).includes(container));
      return judge(`${planned.name}: container ${container}`, container, { uid, faults, ask });
    }),
  );
}

const namesSchema = z.object({ name: z.string().optional(), container: z.string().optional() });

/** The container that a probe or fault names on a host. A probe of kind `container` has it in the field `name`. */
function namedBy({ kind, params }: PlannedProbe | PlannedFault, host: PlannedHost): string[] {
  const { name, container } = namesSchema.safeParse(params).data ?? {};
  const named = kind === 'container' ? name : container;
  return named === undefined ? [] : [fillPlaceholders(named, host)];
}

type AskEngine = (argv: readonly string[]) => Promise<string | undefined>;

async function judge(
  name: string,
  container: string,
  {
    uid,
    faults,
    ask,
  }: { readonly uid: number; readonly faults: readonly PlannedFault[]; readonly ask: AskEngine },
): Promise<Finding> {
  // A fault on a role hits one of several hosts; the others may have no such container.
  const isNeeded = faults.some(({ on }) => 'host' in on);
  const answer = await ask(['docker', 'container', 'inspect', '--format', stateFormat, container]);
  const state = stateSchema.safeParse(parseJson(answer ?? '')).data;
  if (state === undefined) {
    const known = ((await ask(['docker', 'ps', '--all', '--format', '{{.Names}}'])) ?? '')
      .split(/\s+/)
      .filter(Boolean);
    return {
      name,
      status: isNeeded ? 'fail' : 'warn',
      observed: `the engine knows no container of this name${suggest(container, known)}`,
      hint: 'Correct the name; `docker ps --all` lists the containers.',
    };
  }
  const { status, policy, init } = state;
  if (status !== 'running') {
    return {
      name,
      status: isNeeded ? 'fail' : 'warn',
      observed: `${status}, not running${isNeeded ? ': a fault needs a running container' : ''}`,
      hint: `Start it: \`docker start ${container}\`.`,
    };
  }
  const kill = faults.find(({ kind }) => kind === 'process.kill');
  const first =
    kill === undefined || uid === 0 || init === true ? undefined : await firstProcess(container, ask);
  if (first !== undefined && first === processOf(kill?.params)) {
    return {
      name,
      status: 'fail',
      observed: `${first} is PID 1 of the container, and only root on this machine can kill it`,
      hint: `Set \`init: true\` for ${container} in its Compose file, or run firedrill as root.`,
    };
  }
  return { name, status: 'ok', observed: `running; ${policyWords(policy, kill !== undefined)}` };
}

function policyWords(policy: string, isKilled: boolean): string {
  const isNone = policy === '' || policy === 'no';
  if (!isNone) return `restart policy ${policy}`;
  return `no restart policy${isKilled ? ': if it exits, it stays down until the heal starts it' : ''}`;
}

/** Name of the process with the lowest PID, which is PID 1 in the container. */
async function firstProcess(container: string, ask: AskEngine): Promise<string | undefined> {
  const lines = ((await ask(['docker', 'top', container, '-eo', 'pid,comm'])) ?? '').split('\n').slice(1);
  const pids = lines.flatMap((line) => {
    const [, pid, comm] = /^\s*(\d+)\s+(.*\S)/.exec(line) ?? [];
    return pid === undefined || comm === undefined ? [] : [{ pid: Number(pid), comm }];
  });
  return pids.sort((a, b) => a.pid - b.pid)[0]?.comm;
}

function processOf(params: PlannedFault['params'] | undefined): string | undefined {
  return z.object({ process: z.string(), signal: z.literal('KILL') }).safeParse(params).data?.process;
}
