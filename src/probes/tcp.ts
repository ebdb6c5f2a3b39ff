import { connect } from 'node:net';
import { z } from 'zod';
import type { ProbeKind } from '../core/probe.ts';
import type { Observation } from '../core/sample.ts';
import { nameLookup } from '../net/name-lookup.ts';
import { abortedBy, failureOf } from '../net/net-errors.ts';
import { hostPort, requireHostPort } from '../net/text-params.ts';

const params = z.strictObject({
  address: hostPort.describe('host:port to connect to.'),
});
type Params = z.output<typeof params>;

/** Opens a TCP connection and closes it again. */
export const tcp: ProbeKind<Params> = {
  kind: 'tcp',
  summary: 'A TCP connection. A sample is good when the connection is established.',
  params,
  lane: 'network',
  needsHost: false,
  cost: () => ({ newConnections: 1, commands: 0, processes: 0 }),
  describe: (p) => `connect to ${p.address}`,
  open: async (p, ctx) => {
    const target = requireHostPort(p.address);
    return {
      observe: async (signal) => {
        if (signal.aborted) return abortedBy(signal);
        const startMs = ctx.clock.nowMs();
        const { promise, resolve } = Promise.withResolvers<Observation>();
        const names = nameLookup(ctx.resolveName);
        const socket = connect({ ...target, lookup: names.lookup });
        const onAbort = (): void => resolve(abortedBy(signal, names));
        signal.addEventListener('abort', onAbort, { once: true });
        socket.once('connect', () => {
          resolve({ status: 'ok', phases: { connectMs: ctx.clock.nowMs() - startMs } });
        });
        socket.on('error', (error) => resolve(failureOf(error)));
        try {
          return await promise;
        } finally {
          signal.removeEventListener('abort', onAbort);
          socket.destroy();
        }
      },
      close: async () => {},
    };
  },
};
