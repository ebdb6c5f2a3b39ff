import type { Clock } from '../core/clock.ts';
import { withCleanup } from '../core/cleanup.ts';
import { messageOf } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { Plan, PlannedProbe } from '../core/plan.ts';
import { type ProbeContext, type ProbeKind, ProbeTimeout } from '../core/probe.ts';
import type { FailCause, Observation } from '../core/sample.ts';

/** What one attempt of a probe may use. */
export interface EndpointContext extends Pick<ProbeContext, 'readText' | 'env' | 'resolveName'> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const hints: Readonly<Record<FailCause, string>> = {
  refused: 'No process listens on the port: start the service, or correct the address and the port.',
  reset: 'The service or a proxy in front of it accepts the connection and drops it: read their logs.',
  unreachable:
    'This machine cannot reach the address: check its routes (`ip route get ADDRESS`) and the firewalls.',
  timeout:
    'Check the routes and the firewalls. If the service is only slow, set a longer `timeout` for the probe.',
  tls: 'Set `caFile` of the probe to the CA of the certificate, and `serverName` to a name in it.',
  dns: 'Correct the name in the probe, or the DNS servers in /etc/resolv.conf of this machine.',
  'http-5xx': 'The service answers with a server error: read its log.',
  'http-other': 'The service answers with another status: correct `url` or `status` of the probe.',
  'bad-body': 'The service answers with other content: correct what the probe expects.',
  'bad-state': 'The service reports a bad state: start it, or correct the name in the probe.',
  error: 'Read the log of the service.',
};

/** Hints for messages that are more specific than their cause. The first match is used. */
const hintsByText: readonly (readonly [FailCause, RegExp, string])[] = [
  [
    'tls',
    /alert protocol version|unsupported protocol|legacy sigalg/,
    'The server speaks only TLS 1.1 or older, and firedrill needs TLS 1.2: enable TLS 1.2 on the server. Otherwise probe it with kind tcp, or with exec and an older client.',
  ],
  [
    'tls',
    /no application protocol/,
    'The server speaks only HTTP/2 (ALPN h2), and the probe needs HTTP/1.1: enable both on the server. Otherwise probe it with kind tcp, or with exec and `curl --http2`.',
  ],
  [
    'tls',
    /alert (?:certificate required|handshake failure|bad certificate|unknown ca|access denied|no certificate)/i,
    'The server refused the handshake: it requires a client certificate (set `clientCert`), or other ciphers.',
  ],
  [
    'tls',
    /wrong version number|packet length too long|http request/,
    'The server does not speak TLS on this port: write http:// (or remove `tls`), or correct the port.',
  ],
  [
    'tls',
    /altnames|Hostname\/IP/,
    'The certificate is for other names: use one of them in the address (`connectTo` keeps the IP address), or set `serverName` to it.',
  ],
  ['tls', /expired|not yet valid/, 'Renew the certificate, and check the clocks of both machines.'],
  [
    'http-other',
    /^Parse Error/,
    'The server does not speak HTTP/1.1: correct the port. Probe HTTP/2 without TLS, gRPC, and other protocols with kind tcp.',
  ],
];

function hintFor({ cause, message }: { readonly cause: FailCause; readonly message: string }): string {
  const known = hintsByText.find(([of, words]) => of === cause && words.test(message));
  return known?.[2] ?? hints[cause];
}

/** Runs each probe that uses sockets once, as a drill does: it checks the name, the port, the certificate, the login, and the answer. */
export function inspectEndpoints(
  plan: Pick<Plan, 'probes' | 'steady'>,
  kindOf: (kind: string) => ProbeKind<unknown> | undefined,
  context: EndpointContext,
): Promise<readonly Finding[]> {
  const usable = plan.probes.flatMap((probe) => {
    const kind = kindOf(probe.kind);
    return kind?.lane === 'network' ? [{ probe, kind }] : [];
  });
  return Promise.all(
    usable.map(async ({ probe, kind }) =>
      judgeSample(
        probe,
        kind.describe(probe.params),
        await takeSample(probe, kind, context),
        isRequired(probe, plan),
      ),
    ),
  );
}

async function takeSample(
  probe: PlannedProbe,
  kind: ProbeKind<unknown>,
  { clock, signal, ...rest }: EndpointContext,
): Promise<Observation> {
  const { timeoutMs } = probe;
  try {
    return await withCleanup(async (cleanup) => {
      const limits = new AbortController();
      const timer = setTimeout(() => limits.abort(new ProbeTimeout(timeoutMs)), timeoutMs);
      cleanup.defer(() => clearTimeout(timer));
      const session = await kind.open(probe.params, { ...rest, host: undefined, clock, timeoutMs });
      cleanup.defer(() => session.close());
      return session.observe(AbortSignal.any([limits.signal, signal]));
    });
  } catch (error) {
    // Only `open` throws, for a missing file or secret.
    return { status: 'unknown', message: messageOf(error) };
  }
}

/** Whether the steady state requires a good sample of exactly this instance. */
function isRequired(probe: PlannedProbe, { steady }: Pick<Plan, 'steady'>): boolean {
  return steady.require.some(
    (condition) =>
      condition.probe === probe.name &&
      condition.count === undefined &&
      condition.role === undefined &&
      (condition.host === undefined || condition.host === probe.host),
  );
}

/** Makes a finding of one observation. */
function judgeSample(probe: PlannedProbe, what: string, seen: Observation, required: boolean): Finding {
  const name = `probe ${probe.id}`;
  switch (seen.status) {
    case 'ok':
      return { name, status: 'ok', observed: `${what}${seen.value === undefined ? '' : `: ${seen.value}`}` };
    case 'unknown':
      return {
        name,
        status: 'fail',
        observed: `the probe cannot run: ${seen.message}`,
        hint: 'Correct the probe in the target: in a drill, all its samples would be unknown.',
      };
    case 'fail':
      return {
        name,
        status: required ? 'fail' : 'warn',
        observed: `${what}: ${seen.message}${required ? '; no drill starts, because `steady` requires this probe' : ''}`,
        hint: hintFor(seen),
      };
  }
}
