import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { currentUser } from './current-user.ts';

/** The values of ssh_config tokens for one connection. */
export interface TokenValues {
  /** The host's name in the target. */
  readonly asked: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly alias: string | undefined;
  /** Host of ProxyJump; empty without a jump host. */
  readonly jump: string;
}

/** Values of the tokens that every keyword accepts (ssh_config(5), TOKENS), by letter. */
export function tokensOf({
  asked,
  host,
  port,
  user,
  alias,
  jump,
}: TokenValues): Readonly<Record<string, string>> {
  const me = currentUser();
  const local = hostname();
  const connection = createHash('sha1').update(`${local}${host}${port}${user}${jump}`).digest('hex');
  return {
    '%': '%',
    C: connection,
    d: me.homedir,
    h: host,
    i: String(me.uid),
    j: jump,
    k: alias ?? asked,
    L: local.replace(/\..*/, ''),
    l: local,
    n: asked,
    p: String(port),
    r: user,
    u: me.username,
  };
}

/** The text with tokens and `${VARIABLES}` expanded, or the first undefined one. */
export function expandTokens(
  text: string,
  tokens: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
): { readonly text: string } | { readonly unknown: string } {
  let unknown: string | undefined;
  const value = (whole: string, found: string | undefined): string => {
    if (found === undefined) unknown ??= whole;
    return found ?? whole;
  };
  // Like ssh, this expands in one pass: values are not expanded again.
  const expanded = text.replaceAll(/%(.?)|\$\{([^}]*)\}/g, (whole, token?: string, variable?: string) =>
    token === undefined ? value(whole, env[variable ?? '']) : value(whole, tokens[token]),
  );
  return unknown === undefined ? { text: expanded } : { unknown };
}

/** Expands `~` to the home folder of the current user. Home folders of other users are not supported. */
export function expandHome(path: string): { readonly text: string } | { readonly unknown: string } {
  if (!path.startsWith('~')) return { text: path };
  const [name = ''] = path.slice(1).split('/');
  const me = currentUser();
  if (name !== '' && name !== me.username) return { unknown: `~${name}` };
  return { text: `${me.homedir}${path.slice(1 + name.length)}` };
}

/** Splits a command in ssh_config into words. Words with spaces are quoted; there is no shell. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, double, single, plain] of line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)) {
    words.push(double?.replaceAll(/\\(["\\])/g, '$1') ?? single ?? plain ?? '');
  }
  return words;
}
