import type { CloudServer } from '../core/cloud.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { Host, HostNote, NoteListener } from '../core/host.ts';
import type { HostName } from '../core/ids.ts';
import type { Kinds } from '../core/kinds.ts';
import type { Plan, PlannedFault, PlannedHost, PlannedProbe } from '../core/plan.ts';
import { kindsFor } from '../extension/load.ts';
import type { TargetPlan } from '../scenario/target-planner.ts';
import { containerFindings } from './container-findings.ts';
import { inspectEndpoints, type EndpointContext } from './endpoints.ts';
import { judgeClock, measureClock } from './host-clock.ts';
import { askHost } from './host-facts.ts';
import { checkHost, type HostRequirement } from './check-host.ts';
import { leaseFindings } from './lease-findings.ts';
import { undoneOn, requirementsOf } from './host-requirements.ts';
import { fitHint } from './transport-hints.ts';

/** Access to hosts, clouds, and sockets. */
export interface InspectDeps extends EndpointContext {
  /** `onNote` receives warnings about the connection to the host, each once. */
  readonly createHost: (host: PlannedHost, onNote: NoteListener) => Host;
  readonly createServer: (host: PlannedHost) => CloudServer | undefined;
}

/**
 * Checks everything that drills of a target need, and changes nothing: each host with its tools, its clock, and its cloud
 * server. Each probe runs once.
 * @param plans drills whose faults are checked; without any, the findings list the fault kinds that cannot be used
 */
export async function inspectTarget(
  target: TargetPlan,
  plans: readonly Plan[],
  deps: InspectDeps,
): Promise<readonly Finding[]> {
  const kinds = kindsFor(target);
  const requirements = requirementsOf(target, plans, kinds);
  const [hosts, servers, endpoints] = await Promise.all([
    Promise.all(
      target.hosts.map((host) =>
        inspectHost(
          host,
          target,
          requirements.get(host.name) ?? [],
          undoneOn(host.name, target, plans),
          kinds,
          deps,
        ),
      ),
    ),
    Promise.all(target.hosts.map((host) => inspectServer(host, deps))),
    inspectEndpoints(target, kinds.probe, deps),
  ]);
  return [...hosts.flat(), ...servers.flat(), ...endpoints];
}

async function inspectHost(
  planned: PlannedHost,
  { probes }: TargetPlan,
  requirements: readonly HostRequirement[],
  undone: readonly PlannedFault[],
  kinds: Kinds,
  { createHost, clock, signal }: InspectDeps,
): Promise<readonly Finding[]> {
  const notes: HostNote[] = [];
  const host = createHost(planned, (note) => void notes.push(note));
  const name = `${planned.name}: ${host.transport}`;
  try {
    const facts = await askHost(host, [...new Set(requirements.flatMap(({ tools }) => tools))], signal);
    const reached: Finding = { name, status: 'ok', observed: 'commands run' };
    const isOther = planned.transport.kind !== 'local';
    const clocks = isOther ? [judgeClock(planned.name, await measureClock(host, clock, signal))] : [];
    const container = await inspectContainer(planned.name, host, signal);
    const here = probes.filter((probe) => (probe.from ?? probe.host) === planned.name);
    const checks = await Promise.all(here.map((probe) => checkProbe(probe, host, kinds, signal)));
    return [
      reached,
      ...notes.map((note) => noteFinding(name, note, planned.name)),
      ...container,
      ...checkHost(planned.name, facts, requirements).map((finding) => fitHint(finding, planned)),
      ...leaseFindings(planned.name, facts, undone, !isOther, kinds),
      ...(await containerFindings(planned, host, facts, { probes: here, steps: undone, signal })),
      ...clocks,
      ...checks.flat(),
    ];
  } catch (error) {
    signal.throwIfAborted();
    return [{ name, status: 'fail', observed: answerOf(error, planned.name), hint: hintOf(error) }];
  }
}

/** The finding of a probe that checks its host itself; empty for other probes. */
async function checkProbe(
  probe: PlannedProbe,
  host: Host,
  kinds: Kinds,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const kind = kinds.probe(probe.kind);
  if (kind?.check === undefined) return [];
  const name = `probe ${probe.id}`;
  try {
    await kind.check(probe.params, { host, signal });
    return [{ name, status: 'ok', observed: kind.describe(probe.params) }];
  } catch (error) {
    signal.throwIfAborted();
    return [{ name, status: 'fail', observed: answerOf(error, host.name), hint: hintOf(error) }];
  }
}

/** What happens to a host that is a container if its PID 1 exits; empty for other hosts. */
async function inspectContainer(
  name: string,
  { container }: Host,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (container === undefined) return [];
  const { restartPolicy } = await container.inspect(signal);
  const after =
    restartPolicy === 'no'
      ? 'if its PID 1 exits, it stays down until a heal starts it'
      : 'if its PID 1 exits, the engine restarts it';
  return [
    { name: `${name}: container`, status: 'info', observed: `restart policy ${restartPolicy}: ${after}` },
  ];
}

function noteFinding(name: string, { message, hint }: HostNote, host: HostName): Finding {
  return { name, status: 'info', observed: message.replace(`${host}: `, ''), hint };
}

async function inspectServer(
  planned: PlannedHost,
  { createServer, signal }: InspectDeps,
): Promise<readonly Finding[]> {
  const server = createServer(planned);
  if (server === undefined) return [];
  const name = `${planned.name}: cloud`;
  try {
    const { status } = await server.state(signal);
    return [{ name, status: 'ok', observed: `${server.where}: ${status}` }];
  } catch (error) {
    signal.throwIfAborted();
    return [{ name, status: 'fail', observed: answerOf(error, planned.name), hint: hintOf(error) }];
  }
}

function hintOf(error: unknown): string {
  const hint = error instanceof DrillError ? error.hint : undefined;
  return hint ?? 'Correct the host in the target, or find out why it does not answer.';
}

/** The message without the host's name, which is already in the finding's name. */
function answerOf(error: unknown, host: HostName): string {
  return messageOf(error).replace(`${host}: `, '');
}
