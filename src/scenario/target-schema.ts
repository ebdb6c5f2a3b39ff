import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { commandWord } from '../core/names.ts';
import { failCauses } from '../core/sample.ts';
import { probeKinds } from '../probes/catalog.ts';
import { writerKinds } from '../writers/catalog.ts';
import { conditionSchema, gateConditionSchema } from './condition-schema.ts';
import { kindUnion } from './kind-union.ts';
import { modelsSchema } from './model-schema.ts';
import { ownershipSchema } from './ownership-schema.ts';
import { stagesSchema } from './stage-schema.ts';

const common = {
  address: z.string().min(1).optional().describe('Address of the host; `${address}` in probes and faults.'),
  server: z
    .strictObject({
      cloud: z.string().min(1).describe('Entry of clouds.yaml; `openrc` takes the OS_* variables instead.'),
      cloudsFile: z
        .string()
        .min(1)
        .optional()
        .describe('clouds.yaml, relative to this file; searched for as OpenStack clients do by default.'),
      id: z.string().min(1).describe('Id or name of the server.'),
    })
    .optional()
    .describe('The host as a server of an OpenStack cloud.'),
};

/** What is one word to `ssh`, and no option. */
const sshWord = z
  .string()
  .regex(/^[A-Za-z0-9_[][\w.,:@%/[\]~+-]*$/, { error: 'expected a word as `ssh` takes it' });

const host = z.discriminatedUnion('transport', [
  z.strictObject({ transport: z.literal('local').describe('Commands run on this machine.'), ...common }),
  z.strictObject({
    transport: z.literal('docker').describe('Commands run with `docker exec` in a container.'),
    container: commandWord.describe('Name of the container.'),
    context: z.string().min(1).optional().describe('Docker context; the current one by default.'),
    ...common,
  }),
  z.strictObject({
    transport: z
      .literal('ssh')
      .describe(
        'Commands run over SSH, as the command `ssh` would: by ssh_config, agent, keys, known_hosts.',
      ),
    host: sshWord.describe('Name, alias or address, as `ssh` takes it.'),
    user: sshWord.optional().describe('User to log in as; as ssh_config has it by default.'),
    port: z.int().min(1).max(65_535).optional().describe('As ssh_config has it by default.'),
    identityFile: z
      .string()
      .min(1)
      .optional()
      .describe('The only key to use, relative to this file; by default those of agent and ssh_config.'),
    knownHosts: z
      .string()
      .min(1)
      .optional()
      .describe('known_hosts in place of the user’s own, relative to this file.'),
    config: z
      .string()
      .min(1)
      .optional()
      .describe(
        'ssh_config in place of the user’s and the system’s, relative to this file; `none` for none.',
      ),
    jump: sshWord
      .optional()
      .describe('Jump hosts, as after `ssh -J`: [user@]host[:port], with commas between.'),
    sudo: z
      .boolean()
      .optional()
      .describe('Run commands as root by `sudo -n`: the user must need no password for it. No by default.'),
    ...common,
  }),
]);

const identifier = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, { error: 'expected letters, digits, dots, dashes' });

const failureValues = z
  .partialRecord(z.enum(failCauses).exclude(['bad-state']), z.string().min(1))
  .optional()
  .describe(
    'The value that a failed sample has in conditions, by the cause of the failure (`refused`, `reset`, `tls`, `http-5xx`, `http-other`, `bad-body`, or `error`), e.g. {refused: down}. A failure of any other cause has no value, so that a condition with `is` is unknown.',
  );

const probe = kindUnion(probeKinds, {
  id: identifier.describe('Name of the probe, in conditions and reports.'),
  on: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe(
      'Hosts to run for, one instance each; `${host}` and `${address}` stand for them in the other fields.',
    ),
  from: z
    .string()
    .min(1)
    .optional()
    .describe('Host on which the commands run, where that is not the host that the probe is about (`on`).'),
  interval: duration.optional().describe('1s by default.'),
  timeout: duration
    .optional()
    .describe(
      'Default: the interval, but at most 900 ms, so that a sample ends before TCP sends a lost SYN again (1 s).',
    ),
  burst: duration.optional().describe('Interval from shortly before the fault until the recovery is stable.'),
  onFailure: failureValues,
  always: z
    .boolean()
    .optional()
    .describe(
      '`true` runs this probe in every drill. By default a drill runs only the probes that its recovery, gates, roles, ownership, `healthy`, checks, and stages use.',
    ),
});

const writer = kindUnion(writerKinds, {
  id: identifier.describe('Name of the writer, in checks and reports.'),
  on: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe(
      'Hosts by which the clients come, each a path with clients of its own; `${host}` and `${address}` stand for them in the other fields.',
    ),
  clients: z.int().min(1).max(16).optional().describe('Clients of each path; 2 by default.'),
  interval: duration.optional().describe('From one write of a client to its next; 100ms by default.'),
  timeout: duration.optional().describe('2s by default: a write without an answer by then is indeterminate.'),
  reads: duration.optional().describe('From one read of a path’s reader to its next; 500ms by default.'),
  keep: z.literal(true).optional().describe('Leave the rows when the run ends.'),
});

/** A target file: what a stack is made of, and how to look at it. */
export const targetSchema = z
  .strictObject({
    name: identifier.describe('Name of the stack, in reports and undo records.'),
    environment: z
      .enum(['lab', 'test', 'staging', 'production'])
      .describe('Where it stands; `production` wants --allow-production and its name typed.'),
    hosts: z
      .record(identifier, host)
      .describe('The machines, by the names that scenarios call them, and how commands reach them.'),
    probes: z.array(probe).min(1).describe('How the stack is looked at, from outside and on its hosts.'),
    writers: z
      .array(writer)
      .default([])
      .describe(
        'Clients that write numbered rows and read them back, in drills with a check on them (rpo, rows, stale-reads).',
      ),
    roles: z
      .record(identifier, conditionSchema)
      .default({})
      .describe(
        'Which host is what at this moment: the one on which the condition holds. Faults name roles.',
      ),
    ownership: ownershipSchema
      .default({})
      .describe('Things that exactly one host should own, and the sides from which the owner is seen.'),
    models: modelsSchema
      .default({})
      .describe('Settings of what detects failures, from which `predicted` of stages is worked out.'),
    steady: z
      .strictObject({
        require: z.array(gateConditionSchema).min(1).describe('Full redundancy, in terms of probes.'),
        for: duration.optional().describe('How long it must hold; 5s by default.'),
        within: duration.optional().describe('How long to wait for it; 2m by default.'),
      })
      .describe('What must hold before a drill begins.'),
    limits: z
      .strictObject({
        fault: duration.optional().describe('Longest time that any fault may last; 30m by default.'),
        outage: duration
          .optional()
          .describe('Longest outage that the recovery probe may see; no limit by default.'),
      })
      .optional()
      .describe('What a drill is cut short for, and everything healed at once.'),
    healthy: conditionSchema
      .optional()
      .describe(
        'Holds on a host that can serve: no fault hits the last such host unless the scenario says so.',
      ),
    stages: stagesSchema.default([]).describe("The recovery's own chain, in order."),
    returnStages: stagesSchema
      .default([])
      .describe('The chain of the return, from the beginning of the heal to restored redundancy.'),
  })
  .meta({
    title: 'firedrill target',
    description: 'Hosts, transports, probes, roles and stages of one stack.',
  });

/** A target as parsed; durations in ms. */
export type Target = z.output<typeof targetSchema>;
