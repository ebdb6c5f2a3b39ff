import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { splitNameValue } from '../core/name-value.ts';
import { wallMs, type WallMs } from '../core/time.ts';
import { type LabContext, labError, mustRun } from './lab-context.ts';
import type { Lab, LabManifest } from './manifest.ts';

/** A certificate is replaced if it expires within this time. */
const minimumLeftMs = 7 * 24 * 3600 * 1000;

/** Paths in the lab's state folder that `ensureState` creates. Only `vm` is mounted into the VMs. */
export interface StatePaths {
  readonly caCertificate: string;
  readonly sshKey: string;
  readonly knownHosts: string;
  readonly vmDir: string;
}

/** Paths of a lab's CA certificate, ssh key, and known-hosts file. */
export function statePaths(lab: Lab): StatePaths {
  return {
    caCertificate: join(lab.stateDir, 'ca.pem'),
    sshKey: join(lab.stateDir, 'ssh', 'id_ed25519'),
    knownHosts: join(lab.stateDir, 'ssh', 'known_hosts'),
    vmDir: join(lab.stateDir, 'vm'),
  };
}

/**
 * Creates the parts of the lab that must not be in version control: CA, certificates, ssh keys, passwords. Valid ones are kept.
 * openssl and ssh-keygen in the VM image create the keys, so the image must be built before. `isNew`: there was no state
 * folder, so VMs that mount an earlier one must be created again. Throws DrillError `lab`.
 */
export async function ensureState(
  context: LabContext,
  lab: Lab,
): Promise<{ readonly text: string; readonly isNew: boolean }> {
  const paths = statePaths(lab);
  try {
    const created = await mkdir(join(paths.vmDir, 'ssh'), { recursive: true });
    const spec = await missing(lab, wallMs(Date.now()));
    if (spec.length > 0) await make(context, lab, spec);
    await writeKnownHosts(lab);
    await fillTemplates(lab, await ensureSecrets(lab));
    const text =
      spec.length === 0 ? 'certificates and keys exist' : `created ${spec.length} certificates and keys`;
    return { text, isNew: created !== undefined };
  } catch (error) {
    throw labError(
      `cannot create the lab's state in ${lab.stateDir}`,
      error,
      'Delete that folder, then run `firedrill lab up` again.',
    );
  }
}

async function make(context: LabContext, lab: Lab, spec: readonly string[]): Promise<void> {
  const image = lab.manifest.vmImages[0]?.tag ?? '';
  const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  await mustRun(
    context,
    [
      'docker',
      'run',
      '--rm',
      '--interactive',
      '--network',
      'none',
      '--workdir',
      '/state',
      '--volume',
      `${lab.stateDir}:/state`,
      '--entrypoint',
      'firedrill-make-state',
      image,
      owner,
    ],
    { timeoutMs: 60_000, input: `${spec.join('\n')}\n` },
  );
}

/** Missing files, as input lines of make-state.sh. */
async function missing(lab: Lab, nowMs: WallMs): Promise<string[]> {
  const paths = statePaths(lab);
  const spec: string[] = [];
  const ca = await readCertificate(paths.caCertificate);
  const caGood = isGood(ca, nowMs) && (await readText(join(lab.stateDir, 'ca.key'))) !== undefined;
  if (!caGood) spec.push('ca');
  for (const requested of lab.manifest.certificates) {
    const found = await readCertificate(join(paths.vmDir, 'tls', `${requested.name}.crt`));
    const good = caGood && isGood(found, nowMs) && ca !== undefined && found?.verify(ca.publicKey) === true;
    if (!good || !sameNames(found?.subjectAltName, requested)) {
      spec.push(`cert ${requested.name} ${requested.commonName} ${alternativeNames(requested).join(',')}`);
    }
  }
  if ((await readText(paths.sshKey)) === undefined) spec.push('ssh');
  for (const vm of lab.manifest.vms) {
    if ((await readText(hostKeyPath(lab, vm.name))) === undefined) spec.push(`hostkey ${vm.name}`);
  }
  return spec;
}

function hostKeyPath(lab: Lab, vm: string): string {
  return join(statePaths(lab).vmDir, 'ssh', 'host', vm, 'ssh_host_ed25519_key');
}

async function writeKnownHosts(lab: Lab): Promise<void> {
  const lines = await Promise.all(
    lab.manifest.vms.map(async (vm) => {
      const [type, key] = (await readFile(`${hostKeyPath(lab, vm.name)}.pub`, 'utf8')).split(' ');
      return `${vm.name},${vm.address} ${type ?? ''} ${key ?? ''}`.trim();
    }),
  );
  await writeFile(statePaths(lab).knownHosts, `${lines.join('\n')}\n`);
}

/**
 * Creates the passwords, and an id of this state. A VM deletes the data in its volume if they belong to another id, because
 * their passwords differ.
 */
async function ensureSecrets(lab: Lab): Promise<ReadonlyMap<string, string>> {
  const path = join(statePaths(lab).vmDir, 'secrets.env');
  const known = new Map(
    ((await readText(path)) ?? '').split('\n').flatMap((line): [string, string][] => {
      const { name, value } = splitNameValue(line);
      return name === '' || value === undefined ? [] : [[name, value]];
    }),
  );
  const valueOf = (name: string): string => known.get(name) ?? randomBytes(18).toString('base64url');
  const values = new Map(
    ['FIREDRILL_LAB_ID', ...lab.manifest.secrets.map((secret) => secret.name)].map((name) => [
      name,
      valueOf(name),
    ]),
  );
  const lines = [...values].map(([name, value]) => `${name}=${value}`);
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  const folder = join(lab.stateDir, 'secrets');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const secret of lab.manifest.secrets) {
    if (secret.file === undefined) continue;
    await writeFile(join(folder, secret.file), `${values.get(secret.name) ?? ''}\n`, { mode: 0o600 });
  }
  return values;
}

/** Writes the manifest's templates with `${NAME}` replaced by secrets. Throws Error for an unknown name. */
export async function fillTemplates(lab: Lab, secrets: ReadonlyMap<string, string>): Promise<void> {
  for (const { source, file } of lab.manifest.templates) {
    const template = await readFile(join(lab.stackDir, source), 'utf8');
    const text = template.replaceAll(/\$\{(\w+)\}/g, (_, key: string) => {
      const value = secrets.get(key);
      if (value === undefined) throw new Error(`${source}: there is no secret ${key}`);
      return value;
    });
    await writeFile(join(lab.stateDir, file), text, { mode: 0o600 });
  }
}

function alternativeNames(requested: LabManifest['certificates'][number]): string[] {
  return [...requested.dns.map((dns) => `DNS:${dns}`), ...requested.ip.map((ip) => `IP:${ip}`)];
}

/** Node prints `DNS:a, IP Address:b`. */
function sameNames(found: string | undefined, requested: LabManifest['certificates'][number]): boolean {
  const have = (found ?? '').replaceAll('IP Address:', 'IP:').split(', ').sort();
  return have.join() === alternativeNames(requested).sort().join();
}

function isGood(certificate: X509Certificate | undefined, nowMs: WallMs): boolean {
  return (
    certificate !== undefined &&
    Date.parse(certificate.validTo) - nowMs > minimumLeftMs &&
    Date.parse(certificate.validFrom) <= nowMs
  );
}

async function readCertificate(path: string): Promise<X509Certificate | undefined> {
  const text = await readText(path);
  if (text === undefined) return undefined;
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
