import { DrillError } from '../../core/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Set to 1, it allows credentials over plain HTTP to other machines. */
const allowHttp = 'FIREDRILL_ALLOW_HTTP';

/** The value of a variable; undefined if it is not set or empty. */
export function setting(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** The value of a required variable. @throws DrillError `invalid-input` if it is not set */
export function needed(env: Environment, name: string, what: string): string {
  const value = setting(env, name);
  if (value === undefined)
    throw new DrillError('invalid-input', `${name} is not set`, {
      hint: `Set ${name} to ${what}.`,
    });
  return value;
}

/**
 * The URL in a setting. With a credential (in the URL or in a header) it must be HTTPS or loopback, unless
 * FIREDRILL_ALLOW_HTTP=1. Messages never contain the URL, because it may be the credential.
 * @throws DrillError `invalid-input` for any other URL
 */
export function endpoint(
  text: string,
  {
    name,
    credential,
    env,
  }: { readonly name: string; readonly credential: boolean; readonly env: Environment },
): URL {
  const fail = (why: string, hint: string): DrillError =>
    new DrillError('invalid-input', `${name}: ${why}`, { hint });
  if (!URL.canParse(text)) throw fail('not a URL', 'Write it as https://HOST/….');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw fail(`not an HTTP URL: its scheme is ${url.protocol}`, 'Write it as https://HOST/….');
  if (url.username !== '' || url.password !== '')
    throw fail(
      'has a user or password',
      'Remove it from the URL, and set the reporter’s own variables for credentials.',
    );
  if (credential && url.protocol === 'http:' && !isLoopback(url.hostname) && setting(env, allowHttp) !== '1')
    throw fail(
      'would send a credential over plain HTTP',
      `Use https, or set ${allowHttp}=1 if the network to that host is trusted.`,
    );
  url.hash = '';
  return url;
}

/** A header value or URL part with at least this many characters is redacted; a shorter one could occur elsewhere by coincidence. */
export const longAsSecret = 16;

/** The parts to redact of a URL that is itself a credential. */
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

/** The base URL with a path appended by exactly one slash. */
export function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}
