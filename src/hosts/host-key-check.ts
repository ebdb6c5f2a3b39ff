import { readFile } from 'node:fs/promises';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { exitWords } from '../core/command-words.ts';
import { DrillError } from '../core/errors.ts';
import {
  fingerprint,
  judgeHostKey,
  knownTypes,
  nameInKnownHosts,
  parseKnownHosts,
  typeOfKey,
  type BrokenLine,
  type HostName,
  type KnownHost,
} from './known-hosts.ts';
import type { SshSettings, SshSurroundings } from './ssh-config.ts';
import { expandTokens, splitWords } from './ssh-tokens.ts';

/** What to ask a host for, and what to say to the key that it shows. */
export interface HostKeyCheck {
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
  /** The reason to refuse it; undefined for a key that is known. */
  readonly refuse: (key: Buffer) => Promise<DrillError | undefined>;
}

/** Stands for a file where a key was learned. */
const seenBefore = 'what this run saw before';

/** Of what SSH clients offer, what the library can check: no certificates, no keys in hardware. */
const checkable: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
/** Weak algorithms, offered only if ssh_config names them. */
const legacy: readonly ServerHostKeyAlgorithm[] = ['ssh-rsa', 'ssh-dss'];

/**
 * Reads the known hosts for one connection. `learned` has the keys of hosts that were taken at their word: they must show the
 * same key the next time; no file is written.
 * @throws DrillError `host-unreachable` when no algorithm is left to ask the host for
 */
export async function hostKeyCheck(
  settings: SshSettings,
  learned: KnownHost[],
  around: SshSurroundings,
): Promise<HostKeyCheck> {
  const { asked, host, port, hostKeyAlias, knownHostsFiles } = settings;
  const name = { host, port, ...(hostKeyAlias === undefined ? {} : { alias: hostKeyAlias }) };
  const read = await Promise.all(knownHostsFiles.map(readKnownHosts));
  const known = read.flatMap((file) => file.entries);
  // Includes keys that a concurrent connection has learned meanwhile.
  const entries = (): readonly KnownHost[] => [...known, ...learned];
  const broken = read.flatMap((file) => file.broken);
  const types = knownTypes(entries(), name);
  const offered = [...checkable, ...legacy].filter((one) => settings.hostKeyAlgorithms.includes(one));
  const allowed = settings.hostKeyAlgorithms.length === 0 ? checkable : offered;
  const isKnown = (one: ServerHostKeyAlgorithm): boolean =>
    types.includes(one.startsWith('rsa-') ? 'ssh-rsa' : one);
  // A host has keys of several types: it is asked for one that can be compared.
  const algorithms = [...allowed.filter(isKnown), ...allowed.filter((one) => !isKnown(one))];
  const where = `${host}:${port}`;
  const refusal = (why: string, mend: string): DrillError =>
    new DrillError('host-unreachable', why, { mend });
  if (algorithms.length === 0) {
    throw refusal(
      `firedrill supports none of the HostKeyAlgorithms in ssh_config for ${asked}`,
      `Allow one of these in HostKeyAlgorithms: ${checkable.join(', ')}.`,
    );
  }
  return {
    algorithms,
    async refuse(key) {
      const printed = await askKnownHosts(settings, name, key, around);
      const verdict = judgeHostKey([...entries(), ...printed.entries], name, key);
      const shown = `the host key of ${where} (${typeOfKey(key) ?? 'unknown type'}, ${fingerprint(key)})`;
      switch (verdict.kind) {
        case 'known':
          return undefined;
        case 'unknown': {
          if (settings.unknownKeys === 'new') {
            learned.push({
              hosts: nameInKnownHosts(name),
              type: typeOfKey(key) ?? '',
              key,
              file: seenBefore,
              line: 0,
            });
            return undefined;
          }
          return refusal(
            `${shown} is not known in ${knownHostsFiles.join(', ') || 'any file'}${printed.words}${brokenWords([...broken, ...printed.broken])}${dnsWords(settings)}`,
            `Compare it with \`ssh-keygen -lf\` on the host itself, then connect once with \`${settings.words}\`, or add it to known_hosts.`,
          );
        }
        case 'changed':
          return refusal(
            `${shown} is not the one in ${placeOf(verdict.entry)} (${verdict.entry.type}, ${fingerprint(verdict.entry.key)}): the host was made anew, or somebody is in between`,
            'Compare it with `ssh-keygen -lf` on the host itself, then put it in the place of that line.',
          );
        case 'revoked':
          return refusal(
            `${shown} is revoked by ${placeOf(verdict.entry)}`,
            'Give the host a new key; whoever has the old one can pretend to be it.',
          );
        case 'authority-only':
          return refusal(
            `${shown} is vouched for by a certificate authority only (${placeOf(verdict.entry)}), and firedrill cannot check host certificates`,
            'Add the host’s own key to known_hosts, as a line without @cert-authority.',
          );
      }
    },
  };
}

/** Time limit of KnownHostsCommand, ms; ssh has none. */
const knownHostsCommandMs = 10_000;

/** The known hosts that KnownHostsCommand prints for a host's key; empty without one. `words` has its failure, for messages. */
async function askKnownHosts(
  { knownHostsCommand, tokens }: SshSettings,
  name: HostName,
  key: Buffer,
  { run, env }: SshSurroundings,
): Promise<ReturnType<typeof parseKnownHosts> & { readonly words: string }> {
  const nothing = { entries: [], broken: [] };
  if (knownHostsCommand === undefined) return { ...nothing, words: '' };
  const words = (what: string): string => `, nor by KnownHostsCommand ${knownHostsCommand}${what}`;
  const all = {
    ...tokens,
    f: fingerprint(key),
    H: nameInKnownHosts(name),
    I: 'HOSTNAME',
    K: key.toString('base64'),
    t: typeOfKey(key) ?? '',
  };
  const argv: string[] = [];
  for (const word of splitWords(knownHostsCommand)) {
    const expanded = expandTokens(word, all, env);
    if ('unknown' in expanded) return { ...nothing, words: words(` (${expanded.unknown} is undefined)`) };
    argv.push(expanded.text);
  }
  const { signal } = new AbortController();
  const outcome = await run({ argv, timeoutMs: knownHostsCommandMs, signal });
  if (outcome.kind !== 'exited') return { ...nothing, words: words(` (${outcome.kind})`) };
  if (outcome.exitCode !== 0) {
    return { ...nothing, words: words(` (${exitWords(outcome.exitCode, outcome.stderr)})`) };
  }
  return { ...parseKnownHosts(outcome.stdout, 'KnownHostsCommand'), words: words('') };
}

function dnsWords({ unsupported }: SshSettings): string {
  const dns = unsupported.find((one) => one.startsWith('VerifyHostKeyDNS'));
  return dns === undefined ? '' : `; firedrill does not look it up in DNS (${dns})`;
}

async function readKnownHosts(path: string): Promise<ReturnType<typeof parseKnownHosts>> {
  try {
    return parseKnownHosts(await readFile(path, 'utf8'), path);
  } catch (error) {
    // Most of the usual places have none.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { entries: [], broken: [] };
    throw new DrillError('host-unreachable', `the known hosts ${path} cannot be read`, { cause: error });
  }
}

function placeOf({ file, line }: KnownHost | BrokenLine): string {
  return line === 0 ? file : `${file}:${line}`;
}

function brokenWords(broken: readonly BrokenLine[]): string {
  if (broken.length === 0) return '';
  return `; lines left out there: ${broken.map((line) => `${placeOf(line)} (${line.why})`).join(', ')}`;
}
