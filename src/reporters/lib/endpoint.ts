import { DrillError } from '../../core/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Lets credentials go over plain HTTP to other machines. */
const allowHttp = 'FIREDRILL_ALLOW_HTTP';

/** The value of a variable; undefined where it is not set, or empty. */
export function setting(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** The value of a variable that a reporter cannot do without. @throws DrillError `invalid-input` where it is not set */
export function needed(env: Environment, name: string, what: string): string {
  const value = setting(env, name);
  if (value === undefined)
    throw new DrillError('invalid-input', `${name} is not set`, {
      mend: `Set it to ${what}.`,
    });
  return value;
}

/**
 * The URL that a setting holds. What goes to it with a credential, in the URL itself or beside it, goes over HTTPS, to this
 * machine or with FIREDRILL_ALLOW_HTTP=1. Messages never quote the URL: it may be the credential.
 * @throws DrillError `invalid-input` for what is no such URL
 */
export function endpoint(
  text: string,
  {
    name,
    credential,
    env,
  }: { readonly name: string; readonly credential: boolean; readonly env: Environment },
): URL {
  const fail = (why: string, mend: string): DrillError =>
    new DrillError('invalid-input', `${name}: ${why}`, { mend });
  if (!URL.canParse(text)) throw fail('not a URL', 'Expected https://HOST/…');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw fail(`not a URL of HTTP: ${url.protocol}`, 'Expected https://HOST/…');
  if (url.username !== '' || url.password !== '')
    throw fail('names a user or password', 'Give credentials by the variable that is meant for them.');
  if (credential && url.protocol === 'http:' && !isLoopback(url.hostname) && setting(env, allowHttp) !== '1')
    throw fail(
      'a credential would go over plain HTTP',
      `Use https, or set ${allowHttp}=1 if the way there is trusted.`,
    );
  url.hash = '';
  return url;
}

/** A value of a header or a part of an address that is as long as this is taken for a secret; what is shorter stands elsewhere, too. */
export const longAsSecret = 16;

/** What of an address nobody else should know, where all who know it may post there. */
export function secretsOf(url: URL): readonly string[] {
  const parts = [...url.pathname.split('/'), ...url.searchParams.values()];
  const whole = url.pathname + url.search;
  return [
    url.href,
    ...(whole === '/' ? [] : [whole]),
    ...parts.filter((part) => part.length >= longAsSecret),
  ];
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** A path below a base URL, whatever slashes are between. */
export function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}
