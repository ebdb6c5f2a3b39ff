import { readFile } from 'node:fs/promises';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { exitText } from '../core/command-words.ts';
import { DrillError, messageOf } from '../core/errors.ts';
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
import type { SshSettings, SshEnvironment } from './ssh-config.ts';
import { expandTokens, splitWords } from './ssh-tokens.ts';

/** The key types to request from a host, and the check of the key that it presents. */
export interface HostKeyCheck {
  readonly algorithms: readonly ServerHostKeyAlgorithm[];
  /** The error for a key that is refused; undefined for a known key. */
  readonly refuse: (key: Buffer) => Promise<DrillError | undefined>;
}

/** Used instead of a file name for a key that this run accepted. */
const seenBefore = 'an earlier connection of this run';

/** The algorithms that the library can check: without certificates and hardware keys. */
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
 * Reads the known hosts for one connection. `learned` has the keys that were accepted unchecked (StrictHostKeyChecking). The
 * next connection must present the same key. No file is written.
 * @throws DrillError `host-unreachable` if no supported algorithm is allowed
 */
export async function hostKeyCheck(
  settings: SshSettings,
  learned: KnownHost[],
  around: SshEnvironment,
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
  // A host has keys of several types. Known types come first, so that the key can be compared.
  const algorithms = [...allowed.filter(isKnown), ...allowed.filter((one) => !isKnown(one))];
  const where = `${host}:${port}`;
  const refusal = (why: string, hint: string): DrillError =>
    new DrillError('host-unreachable', why, { hint });
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
            `${shown} is not known in ${knownHostsFiles.join(', ') || 'any file'}${printed.words}${brokenText([...broken, ...printed.broken])}${dnsText(settings)}`,
            `Compare the fingerprint with \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` on the host (the file depends on the key type). Then log in once with \`${settings.words}\`, or add the key to known_hosts.`,
          );
        }
        case 'changed':
          return refusal(
            `${shown} differs from the key in ${placeOf(verdict.entry)} (${verdict.entry.type}, ${fingerprint(verdict.entry.key)}): the host was reinstalled, or another machine intercepts the connection`,
            'Compare the fingerprint with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host (the file depends on the key type). If they match, replace the key in that line.',
          );
        case 'revoked':
          return refusal(
            `${shown} is revoked by ${placeOf(verdict.entry)}`,
            'Generate a new host key on the host: the holder of the revoked key can impersonate it.',
          );
        case 'authority-only':
          return refusal(
            `${shown} is known only through a certificate authority (${placeOf(verdict.entry)}), and firedrill cannot check host certificates`,
            'Add the host’s own key to known_hosts, in a line without @cert-authority.',
          );
      }
    },
  };
}

/** Time limit of KnownHostsCommand, ms; `ssh` has none. */
const knownHostsCommandMs = 10_000;

/** The known hosts that KnownHostsCommand prints for a host's key; empty without the command. `words` describes it for messages. */
async function askKnownHosts(
  { knownHostsCommand, tokens }: SshSettings,
  name: HostName,
  key: Buffer,
  { run, env }: SshEnvironment,
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
    return { ...nothing, words: words(` (${exitText(outcome.exitCode, outcome.stderr)})`) };
  }
  return { ...parseKnownHosts(outcome.stdout, 'KnownHostsCommand'), words: words('') };
}

function dnsText({ unsupported }: SshSettings): string {
  const dns = unsupported.find((one) => one.startsWith('VerifyHostKeyDNS'));
  return dns === undefined ? '' : `; firedrill does not look it up in DNS (${dns})`;
}

async function readKnownHosts(path: string): Promise<ReturnType<typeof parseKnownHosts>> {
  try {
    return parseKnownHosts(await readFile(path, 'utf8'), path);
  } catch (error) {
    // Most of the default files do not exist.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { entries: [], broken: [] };
    throw new DrillError('host-unreachable', `cannot read the known hosts: ${messageOf(error)}`, {
      hint: `Give this user read access to ${path}.`,
      cause: error,
    });
  }
}

function placeOf({ file, line }: KnownHost | BrokenLine): string {
  return line === 0 ? file : `${file}:${line}`;
}

function brokenText(broken: readonly BrokenLine[]): string {
  if (broken.length === 0) return '';
  return `; ignored as invalid: ${broken.map((line) => `${placeOf(line)} (${line.why})`).join(', ')}`;
}
