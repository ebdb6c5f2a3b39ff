import { yamlText } from './yaml-text.ts';

/** The probe that asks a stack as its clients do: its kind, and its fields that come from the URL. */
export interface ClientProbe {
  readonly kind: 'http' | 'sql' | 'tcp';
  readonly params: Readonly<Record<string, unknown>>;
}

/** Statement of an `sql` probe; works with any right. */
const query = 'SELECT 1';

/** The probe for a URL, by its scheme; undefined for a scheme that no probe of `init` speaks. */
export function clientProbe(url: string, passwordEnv?: string): ClientProbe | undefined {
  if (/^https?:\/\//.test(url)) return { kind: 'http', params: { url } };
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    const password = passwordEnv === undefined ? {} : { password: { env: passwordEnv } };
    return { kind: 'sql', params: { dsn: url, query, ...password } };
  }
  const address = /^tcp:\/\/(.+)$/.exec(url)?.[1];
  return address === undefined ? undefined : { kind: 'tcp', params: { address } };
}

/** The lines of that probe in a target, without their indentation. */
export function clientProbeLines(url: string, passwordEnv: string | undefined): string[] {
  const probe = clientProbe(url, passwordEnv);
  switch (probe?.kind) {
    case undefined:
    case 'http':
      return [
        'kind: http',
        `url: ${yamlText(url)}`,
        'burst: 100ms',
        '# expect: { body: ok }       # a regular expression that the body must match',
        '# connectTo: 10.0.0.11:443   # connect to this address in place of those of the name',
      ];
    case 'sql':
      return [
        'kind: sql',
        `dsn: ${yamlText(url)}`,
        passwordEnv === undefined
          ? '# password: { env: DB_PASSWORD }   # where the password is; never the password itself'
          : `password: { env: ${yamlText(passwordEnv)} }`,
        `query: ${query} # a standby answers it, too; SELECT txid_current() needs a primary`,
        'burst: 100ms',
        '# tls: { mode: verify-full }       # without it, the connection is not encrypted',
      ];
    case 'tcp':
      return [
        'kind: tcp',
        `address: ${yamlText(String(probe.params['address']))}`,
        'burst: 100ms',
        "# A connection does not prove that the service answers. Docker's proxy, for example, accepts connections to a published",
        '# port of 127.0.0.1 for a container that hangs. Use kind http, sql, or tcp-session if the protocol allows it.',
      ];
  }
}
