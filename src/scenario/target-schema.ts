import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { commandWord } from '../core/names.ts';
import { failCauses } from '../core/sample.ts';
import type { Kinds } from '../core/kinds.ts';
import { builtInKinds } from '../extension/kinds.ts';
import { conditionSchema, gateConditionSchema } from './condition-schema.ts';
import { idSchema } from './id-schema.ts';
import { extendKind, kindUnion } from './kind-union.ts';
import { modelsSchema } from './model-schema.ts';
import { ownershipSchema } from './ownership-schema.ts';
import { stagesSchema } from './stage-schema.ts';

const common = {
  address: z
    .string()
    .min(1)
    .optional()
    .describe('Address of the host. `${address}` in probes and faults is replaced by it.'),
  server: z
    .strictObject({
      cloud: z
        .string()
        .min(1)
        .describe('Entry of clouds.yaml. `openrc` uses the OS_* environment variables instead.'),
      cloudsFile: z
        .string()
        .min(1)
        .optional()
        .describe(
          'Path of clouds.yaml, relative to this file (default: the search path of OpenStack clients).',
        ),
      id: z.string().min(1).describe('Id or name of the server.'),
    })
    .optional()
    .describe('The host as a server of an OpenStack cloud.'),
};

/** A single argument of `ssh` that is not an option. */
const sshWord = z
  .string()
  .regex(/^[A-Za-z0-9_[][\w.,:@%/[\]~+-]*$/, { error: 'expected a single word that `ssh` accepts' });

const builtInHosts = [
  z.strictObject({ transport: z.literal('local').describe('Commands run on this machine.'), ...common }),
  z.strictObject({
    transport: z.literal('docker').describe('Commands run with `docker exec` in a container.'),
    container: commandWord.describe('Name of the container.'),
    context: z.string().min(1).optional().describe('Docker context (default: the current one).'),
    ...common,
  }),
  z.strictObject({
    transport: z
      .literal('ssh')
      .describe(
        'Commands run over SSH, with the ssh_config, agent, keys, and known_hosts of the command `ssh`.',
      ),
    host: sshWord.describe('Name, alias, or address of the host for `ssh`.'),
    user: sshWord.optional().describe('User to log in as (default: from ssh_config).'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Port of the SSH server (default: from ssh_config).'),
    identityFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Private key file, relative to this file; no other key is used (default: the keys of the agent and ssh_config).',
      ),
    knownHosts: z
      .string()
      .min(1)
      .optional()
      .describe('Path of known_hosts, relative to this file (default: from ssh_config).'),
    config: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Path of ssh_config, relative to this file; `none` uses no ssh_config (default: the ssh_config of the user and of the system).',
      ),
    jump: sshWord
      .optional()
      .describe('Jump hosts, as for `ssh -J`: [user@]host[:port], separated by commas.'),
    sudo: z
      .boolean()
      .optional()
      .describe(
        '`true` runs commands as root with `sudo -n` (default: false). The user needs sudo without a password.',
      ),
    ...common,
  }),
] as const;

const failureValues = z
  .partialRecord(z.enum(failCauses).exclude(['bad-state']), z.string().min(1))
  .optional()
  .describe(
    'Values of failed samples in conditions, by cause of the failure (`refused`, `reset`, `tls`, `http-5xx`, `http-other`, `bad-body`, or `error`), such as {refused: down}. A sample that fails for another cause has no value, so a condition with `is` is unknown.',
  );

const probeFields = {
  id: idSchema.describe('Name of the probe in conditions and reports.'),
  on: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe(
      'Hosts of the probe, with one instance each. `${host}` and `${address}` in the other fields are replaced by the name and address of the host.',
    ),
  from: z
    .string()
    .min(1)
    .optional()
    .describe('Host on which the commands of the probe run (default: the host in `on`).'),
  interval: duration.optional().describe('Time from one sample to the next (default: 1s).'),
  timeout: duration
    .optional()
    .describe(
      'Timeout of a sample (default: the interval, but at most 900 ms, because TCP retransmits a lost SYN after 1 s).',
    ),
  burst: duration
    .optional()
    .describe('Interval from shortly before the fault until the recovery is stable (default: `interval`).'),
  onFailure: failureValues,
  always: z
    .boolean()
    .optional()
    .describe(
      '`true` runs this probe in every drill. By default a drill runs only the probes that its recovery, gates, roles, ownership, `healthy`, checks, and stages use.',
    ),
};

const writerFields = {
  id: idSchema.describe('Name of the writer in checks and reports.'),
  on: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe(
      'Hosts that the clients write through. Each host is a path with its own clients. `${host}` and `${address}` in the other fields are replaced by the name and address of the host.',
    ),
  clients: z.int().min(1).max(16).optional().describe('Clients of each path (default: 2).'),
  interval: duration.optional().describe('Time from one write of a client to its next (default: 100ms).'),
  timeout: duration
    .optional()
    .describe(
      'Timeout of a write (default: 2s). The outcome of a write without an answer in time is unknown.',
    ),
  reads: duration.optional().describe('Time from one read of a path to its next (default: 500ms).'),
  keep: z.literal(true).optional().describe('`true` keeps the rows after the run (default: delete them).'),
};

/** The hosts of every transport. Planning reads the fields of an extension's transport as that kind's own parameters. */
function hostUnion({ transports }: Kinds) {
  const builtIn = z.discriminatedUnion('transport', builtInHosts);
  const own = transports.map(({ kind, summary, params }) =>
    extendKind(kind, params, { transport: z.literal(kind).describe(summary), ...common }),
  );
  return own.length === 0
    ? builtIn
    : (z.discriminatedUnion('transport', [...builtInHosts, ...own]) as unknown as typeof builtIn);
}

/** The modules that bring further kinds. The loader reads this field before the other fields are parsed. */
export const extensionsSchema = z.array(z.string().min(1));

function makeTargetSchema(kinds: Kinds) {
  const host = hostUnion(kinds);
  const probe = kindUnion(kinds.probes, probeFields);
  const writer = kindUnion(kinds.writers, writerFields);
  return z
    .strictObject({
      extensions: extensionsSchema
        .optional()
        .describe(
          'Modules that bring further kinds of faults, probes, writers, transports, and reporters: a path that begins with `./` or `../`, relative to this file, or the name of a package. firedrill runs their code whenever it reads this file.',
        ),
      name: idSchema.describe('Name of the stack in reports and undo records.'),
      environment: z
        .enum(['lab', 'test', 'staging', 'production'])
        .describe(
          'Environment of the stack. `production` requires --allow-production and the typed name of the target.',
        ),
      hosts: z
        .record(idSchema, host)
        .describe('The hosts, by the names that scenarios use, and how firedrill runs commands on them.'),
      probes: z.array(probe).min(1).describe('Probes that observe the stack, from outside and on its hosts.'),
      writers: z
        .array(writer)
        .default([])
        .describe(
          'Clients that write numbered rows and read them back. A writer runs in drills that have a check on it (rpo, rows, stale-reads, write-outage, read-outage).',
        ),
      roles: z
        .record(idSchema, conditionSchema)
        .default({})
        .describe(
          'Roles by name, each with a condition. The host on which the condition holds has the role. Faults can name roles.',
        ),
      ownership: ownershipSchema
        .default({})
        .describe('Things that exactly one host should own, each with the sides that show its owner.'),
      models: modelsSchema
        .default({})
        .describe(
          'Settings of the mechanisms that detect failures. firedrill computes `predicted` of stages from them.',
        ),
      steady: z
        .strictObject({
          require: z.array(gateConditionSchema).min(1).describe('Conditions for full redundancy.'),
          for: duration.optional().describe('How long all conditions must hold (default: 5s).'),
          within: duration.optional().describe('Timeout for the steady state (default: 2m).'),
        })
        .describe('The steady state that must hold before a drill begins.'),
      limits: z
        .strictObject({
          fault: duration.optional().describe('Longest duration of any fault (default: 30m).'),
          outage: duration.optional().describe('Longest outage of the recovery probe (default: no limit).'),
        })
        .optional()
        .describe('Limits at which firedrill stops a drill and heals at once.'),
      healthy: conditionSchema
        .optional()
        .describe(
          'Condition for a host that can serve. No fault hits the last such host unless the scenario sets `leavesNoHealthyNode`.',
        ),
      stages: stagesSchema.default([]).describe('Stages of the recovery, in order.'),
      returnStages: stagesSchema
        .default([])
        .describe('Stages from the start of the heal to restored redundancy, in order.'),
    })
    .meta({
      title: 'firedrill target',
      description: 'Hosts, transports, probes, roles, and stages of one stack.',
    });
}

const schemas = new WeakMap<Kinds, ReturnType<typeof makeTargetSchema>>();

/** The schema of a target file with these kinds. Computed once per set of kinds. */
export function targetSchemaOf(kinds: Kinds): ReturnType<typeof makeTargetSchema> {
  const schema = schemas.get(kinds) ?? makeTargetSchema(kinds);
  schemas.set(kinds, schema);
  return schema;
}

/** A target file without extensions. */
export const targetSchema = targetSchemaOf(builtInKinds);

/** A target as parsed; durations in ms. */
export type Target = z.output<typeof targetSchema>;
