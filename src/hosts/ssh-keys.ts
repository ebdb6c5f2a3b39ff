import { readFile } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type IdentityCallback, type ParsedKey, type SignCallback } from 'ssh2';
import { DrillError, messageOf } from '../core/errors.ts';
import { fromPkcs8 } from './pkcs8.ts';
import type { SshSettings } from './ssh-config.ts';

/** The authentication methods, in the order in which they are tried, and a description of them. */
export interface Identities {
  readonly methods: readonly AnyAuthMethod[];
  /** The keys that are tried, and the unusable ones: for the error if the host accepts none. */
  readonly words: string;
}

/**
 * The keys for a host, in the order of `ssh`: first the agent's keys (those of the host's identity files before the others),
 * then the identity files. A key with a passphrase works only through an agent. There are no passwords.
 * @throws DrillError `host-unreachable` if there is no usable key
 */
export async function loadIdentities(settings: SshSettings): Promise<Identities> {
  const { asked, user: username, identityFiles, identitiesOnly, agent } = settings;
  const keys = (await Promise.all(identityFiles.map(readIdentity))).filter((key) => key !== undefined);
  const publicKeys = keys.flatMap((key) => (key.publicKey === undefined ? [] : [key.publicKey]));
  const files = keys.filter((key) => key.privateKey !== undefined);
  const useAgent = agent !== undefined && (!identitiesOnly || publicKeys.length > 0);
  const methods: AnyAuthMethod[] = [
    ...(useAgent
      ? [{ type: 'agent' as const, username, agent: new ChosenKeys(agent, publicKeys, identitiesOnly) }]
      : []),
    ...files.map((key) => ({ type: 'publickey' as const, username, key: key.privateKey ?? '' })),
  ];
  const unusable = keys.flatMap((key) => (key.problem === undefined ? [] : [`${key.path} ${key.problem}`]));
  if (methods.length === 0) {
    throw new DrillError(
      'host-unreachable',
      `no usable key for ${asked}: ${[...unusable, `no SSH agent, and no usable file among ${identityFiles.join(', ') || 'its identity files'}`].join('; ')}`,
      {
        hint: 'Start an agent (`eval "$(ssh-agent)"; ssh-add KEY`), or set `identityFile` in the target to a key without a passphrase.',
      },
    );
  }
  const tried = [...(useAgent ? [`keys of the agent at ${agent}`] : []), ...files.map((key) => key.path)];
  return { methods, words: [`tried: ${tried.join(', ')}`, ...unusable].join('; ') };
}

interface Identity {
  readonly path: string;
  readonly privateKey?: string;
  readonly publicKey?: ParsedKey;
  readonly problem?: string;
}

/** Undefined if the file does not exist: most default files do not. */
async function readIdentity(path: string): Promise<Identity | undefined> {
  const written = await readText(path);
  if (written === undefined) return undefined;
  const { text, problem: unreadable } = readable(written);
  const parsed = ssh2.utils.parseKey(text);
  if (!(parsed instanceof Error)) {
    return { path, publicKey: parsed, ...(parsed.isPrivateKey() ? { privateKey: text } : {}) };
  }
  // The `.pub` file identifies the same key in an agent.
  const parallel = ssh2.utils.parseKey((await readText(`${path}.pub`)) ?? '');
  const publicKey = parallel instanceof Error ? {} : { publicKey: parallel };
  const why = unreadable ?? parsed.message;
  const problem = /passphrase/i.test(why)
    ? `has a passphrase: add it to an agent (\`ssh-add ${path}\`)`
    : `is not a usable key (${why})`;
  return { path, ...publicKey, problem };
}

/** Converts a key to a format that the library reads. */
function readable(text: string): { readonly text: string; readonly problem?: string } {
  try {
    return { text: fromPkcs8(text) ?? text };
  } catch (error) {
    return { text, problem: messageOf(error) };
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** An agent that offers the keys of the host's identity files first, or only these (IdentitiesOnly). */
class ChosenKeys extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: InstanceType<typeof ssh2.OpenSSHAgent>;
  readonly #own: readonly ParsedKey[];
  readonly #ownOnly: boolean;

  constructor(socketPath: string, own: readonly ParsedKey[], ownOnly: boolean) {
    super();
    this.#agent = new ssh2.OpenSSHAgent(socketPath);
    this.#own = own;
    this.#ownOnly = ownOnly;
  }

  getIdentities(answer: IdentityCallback<ParsedKey>): void {
    this.#agent.getIdentities((error, keys) => {
      if (error || keys === undefined) return answer(error, keys);
      const held = keys.filter((key): key is ParsedKey => 'getPublicSSH' in key);
      const isOwn = (key: ParsedKey): boolean =>
        this.#own.some((own) => own.getPublicSSH().equals(key.getPublicSSH()));
      answer(null, [...held.filter(isOwn), ...(this.#ownOnly ? [] : held.filter((key) => !isOwn(key)))]);
    });
  }

  sign(key: ParsedKey, data: Buffer, options: object | SignCallback, answer?: SignCallback): void {
    this.#agent.sign(key, data, options as never, answer);
  }
}
