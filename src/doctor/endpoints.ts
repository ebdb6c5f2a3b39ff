import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { Plan, PlannedProbe } from '../core/plan.ts';
import { type ProbeContext, type ProbeKind, ProbeTimeout } from '../core/probe.ts';
import type { FailCause, Observation } from '../core/sample.ts';

/** What looks may use. */
export interface LookContext extends Pick<ProbeContext, 'readText' | 'env' | 'resolveName'> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const mends: Readonly<Record<FailCause, string>> = {
  refused: 'Nothing listens there: start the service, or correct address and port.',
  reset: 'Something between accepts the connection and drops it: see the logs of the service.',
  unreachable: 'There is no way there from this machine: see its routes and firewalls.',
  timeout:
    'Nothing answers there in time: see routes and firewalls, and whether the time-out is long enough.',
  tls: 'Give the probe the CA (`caFile`) and the name (`serverName`) of the certificate.',
  dns: 'The name has no address here: correct it, or /etc/resolv.conf of this machine.',
  'http-5xx': 'The service is there and not well: see its logs.',
  'http-other': 'The service is there and answers otherwise: correct `url` or `status`.',
  'bad-body': 'The service is there and says something else: correct what the probe expects.',
  'bad-state': 'The service reports a bad state: bring it up, or correct the name in the probe.',
  error: 'See what the service says.',
};

/** What to do about a failure whose words say more than its cause does; the first that fits. */
const mendsByWords: readonly (readonly [FailCause, RegExp, string])[] = [
  [
    'tls',
    /alert protocol version|unsupported protocol|legacy sigalg/,
    'The server speaks only TLS 1.1 or older, which firedrill does not speak: enable TLS 1.2 on the server, or probe it with kind tcp, or with exec and a client that still does.',
  ],
  [
    'tls',
    /no application protocol/,
    'The server speaks only HTTP/2 (ALPN h2), and the probe only HTTP/1.1: enable both on the server, or probe it with kind tcp, or with exec and `curl --http2`.',
  ],
  [
    'tls',
    /alert (?:certificate required|handshake failure|bad certificate|unknown ca|access denied|no certificate)/i,
    'The server refused the handshake: it asks for a client certificate (`clientCert`), or for other ciphers.',
  ],
  [
    'tls',
    /wrong version number|packet length too long|http request/,
    'The port does not speak TLS: write http:// (or drop `tls`), or correct the port.',
  ],
  [
    'tls',
    /altnames|Hostname\/IP/,
    'The certificate is for other names: connect by one of them (`connectTo` keeps the address), or name it in `serverName`.',
  ],
  ['tls', /expired|not yet valid/, 'Renew the certificate, and check the clocks of both machines.'],
  [
    'http-other',
    /^Parse Error/,
    'What answers there does not speak HTTP/1.1: correct the port, or probe it with kind tcp (HTTP/2 without TLS, gRPC, and other protocols).',
  ],
];

function mendFor({ cause, message }: { readonly cause: FailCause; readonly message: string }): string {
  const known = mendsByWords.find(([of, words]) => of === cause && words.test(message));
  return known?.[2] ?? mends[cause];
}

/** One look by each probe that talks to sockets, as a drill would look: at name, port, certificate, login and answer. */
export function lookAtEndpoints(
  plan: Pick<Plan, 'probes' | 'steady'>,
  kindOf: (kind: string) => ProbeKind<unknown> | undefined,
  context: LookContext,
): Promise<readonly Finding[]> {
  const looks = plan.probes.flatMap((probe) => {
    const kind = kindOf(probe.kind);
    return kind?.lane === 'network' ? [{ probe, kind }] : [];
  });
  return Promise.all(
    looks.map(async ({ probe, kind }) =>
      judgeLook(
        probe,
        kind.describe(probe.params),
        await look(probe, kind, context),
        isRequired(probe, plan),
      ),
    ),
  );
}

async function look(
  probe: PlannedProbe,
  kind: ProbeKind<unknown>,
  { clock, signal, ...rest }: LookContext,
): Promise<Observation> {
  const { timeoutMs } = probe;
  const limits = new AbortController();
  const timer = setTimeout(() => limits.abort(new ProbeTimeout(timeoutMs)), timeoutMs);
  try {
    const session = await kind.open(probe.params, { ...rest, host: undefined, clock, timeoutMs });
    try {
      return await session.observe(AbortSignal.any([limits.signal, signal]));
    } finally {
      await session.close();
    }
  } catch (error) {
    // Only opening throws: a file or a secret that is not there.
    return { status: 'unknown', message: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** The steady state wants a good sample of this very instance. */
function isRequired(probe: PlannedProbe, { steady }: Pick<Plan, 'steady'>): boolean {
  return steady.require.some(
    (condition) =>
      condition.probe === probe.name &&
      condition.count === undefined &&
      condition.role === undefined &&
      (condition.host === undefined || condition.host === probe.host),
  );
}

/** What one look means. */
function judgeLook(probe: PlannedProbe, what: string, seen: Observation, required: boolean): Finding {
  const name = `probe ${probe.id}`;
  switch (seen.status) {
    case 'ok':
      return { name, status: 'ok', observed: `${what}${seen.value === undefined ? '' : `: ${seen.value}`}` };
    case 'unknown':
      return {
        name,
        status: 'fail',
        observed: `cannot look: ${seen.message}`,
        mend: 'Correct the probe in the target: it could never see anything.',
      };
    case 'fail':
      return {
        name,
        status: required ? 'fail' : 'warn',
        observed: `${what}: ${seen.message}${required ? '; no drill begins without it' : ''}`,
        mend: mendFor(seen),
      };
  }
}
