import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import { parseWith } from '../scenario/problems.ts';
import { parseSource } from '../scenario/source.ts';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]*$/, { error: 'expected lower-case letters, digits, ".", and "-"' });
const envName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, { error: 'expected a name such as STARTUP_PROFILE' });
const address = z.ipv4();

const vmSchema = z.strictObject({
  name,
  container: name,
  address,
  /** Whether this VM's own engine needs the inner images. */
  innerImages: z.boolean().default(false),
  /** Command that runs in the VM at every `lab up`. It must be level-triggered. */
  provision: z.array(z.string()).min(1).optional(),
});

const serviceSchema = z.strictObject({
  /** The service's name in the compose file. */
  name,
  container: name,
  /** Command that runs in the container at every `lab up`, before the VMs start. It must be level-triggered. */
  provision: z.array(z.string()).min(1).optional(),
});

const settingSchema = z
  .strictObject({ environment: envName, values: z.array(z.string()).min(1), default: z.string() })
  .refine((setting) => setting.values.includes(setting.default), {
    error: 'the default is not one of the values',
    path: ['default'],
  });

const manifestSchema = z.strictObject({
  version: z.literal(1),
  stack: name,
  composeFile: z.string(),
  network: z.strictObject({ subnet: z.cidrv4(), gateway: address }),
  /** Scenario, relative to this file. `lab up` and `doctor` print the duration and the load of its drill. */
  drill: z.string().optional(),
  needs: z.strictObject({ memoryMiB: z.int().positive(), diskMiB: z.int().positive() }),
  base: z.strictObject({ tag: z.string(), suite: name }),
  vmImages: z
    .array(
      z.strictObject({
        tag: z.string(),
        context: z.string(),
        dockerfile: z.string().default('Dockerfile'),
        inputs: z.array(z.string()).min(1).default(['.']),
      }),
    )
    .min(1),
  innerImages: z
    .strictObject({
      context: z.string(),
      dockerfile: z.string().default('Dockerfile'),
      /** Inputs of every target, in addition to the target's own inputs. */
      inputs: z.array(z.string()).default([]),
      targets: z.record(
        z.string(),
        z.strictObject({ tag: z.string(), inputs: z.array(z.string()).min(1).default(['.']) }),
      ),
    })
    .optional(),
  environment: z.record(envName, z.string()).default({}),
  vms: z.array(vmSchema).min(1),
  services: z.array(serviceSchema).default([]),
  settings: z.record(z.string(), settingSchema).default({}),
  certificates: z
    .array(
      z.strictObject({
        name,
        commonName: z.string(),
        dns: z.array(z.string()).default([]),
        ip: z.array(address).default([]),
      }),
    )
    .default([]),
  secrets: z.array(z.strictObject({ name: envName, file: name.optional() })).default([]),
  /** Files of the stack's folder that are written to the state folder, with `${NAME}` replaced by secrets. */
  templates: z.array(z.strictObject({ source: z.string(), file: name })).default([]),
});

/** A stack's lab.yaml: its VMs, images, certificates, and settings. */
export type LabManifest = z.infer<typeof manifestSchema>;

/** One VM of a manifest. */
export type LabVm = LabManifest['vms'][number];

/** A container in addition to the VMs. */
export type LabService = LabManifest['services'][number];

/** A manifest and the folders that belong to it. */
export interface Lab {
  readonly manifest: LabManifest;
  /** Folder of lab.yaml and of the stack's files. */
  readonly stackDir: string;
  /** Folder of the files that `lab up` creates; not under version control. */
  readonly stateDir: string;
}

/** Parses a lab.yaml. @throws InvalidInput with every error and its position */
export function parseManifest(text: string, path: string): LabManifest {
  return parseWith(parseSource(path, text), manifestSchema);
}

/**
 * Reads `<labRoot>/<stack>/lab.yaml`. The stack's state folder is in `stateRoot`, by default `.firedrill/lab` next to
 * `labRoot`. Throws DrillError `invalid-input` if there is no such stack, or if its manifest is wrong.
 */
export async function loadLab(
  labRoot: string,
  stack: string,
  stateRoot = join(dirname(resolve(labRoot)), '.firedrill', 'lab'),
): Promise<Lab> {
  if (!name.safeParse(stack).success) {
    throw new DrillError(
      'invalid-input',
      `invalid stack ${JSON.stringify(stack)}: expected the name of a folder`,
      {
        hint: `Name a folder of ${resolve(labRoot)} that has a lab.yaml.`,
      },
    );
  }
  const path = join(resolve(labRoot), stack, 'lab.yaml');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new DrillError('invalid-input', `no lab for the stack ${stack}: ${messageOf(error)}`, {
      hint: `Name a folder of ${resolve(labRoot)} that has a lab.yaml.`,
      cause: error,
    });
  }
  return {
    manifest: parseManifest(text, path),
    stackDir: dirname(path),
    stateDir: join(resolve(stateRoot), stack),
  };
}

/** The VM of that name. Throws DrillError `invalid-input` with the known names. */
export function vmOf(lab: Lab, vmName: string): LabVm {
  const vm = lab.manifest.vms.find((candidate) => candidate.name === vmName);
  if (vm !== undefined) return vm;
  throw new DrillError(
    'invalid-input',
    `the lab ${lab.manifest.stack} has no VM ${vmName}; it has ${lab.manifest.vms.map((v) => v.name).join(', ')}`,
  );
}

/**
 * The environment variables of the chosen settings. Throws DrillError `invalid-input` for a setting or a value that is not in
 * the manifest.
 */
export function settingsEnvironment(
  manifest: LabManifest,
  chosen: Readonly<Record<string, string>>,
): Record<string, string> {
  for (const key of Object.keys(chosen)) {
    if (manifest.settings[key] === undefined) {
      const known = Object.keys(manifest.settings).join(', ') || 'none';
      throw new DrillError(
        'invalid-input',
        `the lab ${manifest.stack} has no setting ${key}; it has: ${known}`,
      );
    }
  }
  return Object.fromEntries(
    Object.entries(manifest.settings).map(([key, setting]) => {
      const value = chosen[key] ?? setting.default;
      if (!setting.values.includes(value)) {
        throw new DrillError('invalid-input', `${key} is ${value}; allowed: ${setting.values.join(', ')}`);
      }
      return [setting.environment, value];
    }),
  );
}
