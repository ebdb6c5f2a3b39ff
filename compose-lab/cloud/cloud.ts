import type { IncomingMessage, ServerResponse } from 'node:http';
import { createCompute } from './compute.ts';
import type { CloudConfig } from './config.ts';
import { readCall, send, type Reply } from './http.ts';
import type { Hypervisor } from './hypervisor.ts';
import { createIdentity } from './identity.ts';
import { createInstances, type Instances } from './instances.ts';
import type { Store } from './state-file.ts';

export interface CloudDeps {
  readonly config: CloudConfig;
  /** URL for clients, used in the catalog and in links, e.g. `http://198.18.0.30:5000`. */
  readonly publicUrl: string;
  readonly hypervisor: Hypervisor;
  readonly store: Store;
  /** Wall clock. */
  readonly nowMs: () => number;
  readonly log: (line: string) => void;
}

/** The cloud's two services at one address: /identity is Keystone, /compute is Nova. */
export interface Cloud {
  readonly instances: Instances;
  /** For node:http; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export function createCloud({ config, publicUrl, hypervisor, store, nowMs, log }: CloudDeps): Cloud {
  const identityUrl = `${publicUrl}/identity`;
  const computeUrl = `${publicUrl}/compute`;
  const identity = createIdentity(config, { identity: identityUrl, compute: `${computeUrl}/v2.1` }, nowMs);
  const instances = createInstances({ config, hypervisor, store, nowMs, log });
  const compute = createCompute({ config, identity, identityUrl, url: computeUrl, instances });
  const services = { '/identity': identity.handle, '/compute': compute };

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const call = await readCall(request);
    if (call === undefined)
      return { status: 413, json: { overLimit: { code: 413, message: 'Request is too large.' } } };
    for (const [prefix, service] of Object.entries(services)) {
      if (call.path !== prefix && !call.path.startsWith(`${prefix}/`)) continue;
      const reply = service({ ...call, path: call.path.slice(prefix.length) });
      log(`${call.method} ${request.url ?? ''} ${reply.status} ${call.requestId}`);
      return reply;
    }
    return { status: 404, headers: { 'content-type': 'text/plain' }, text: 'See /identity and /compute.\n' };
  };

  return {
    instances,
    async handle(request, response) {
      try {
        send(response, await answer(request));
      } catch (error) {
        log(`${request.method ?? ''} ${request.url ?? ''}: ${String(error)}`);
        if (!response.headersSent) send(response, { status: 500, json: internalError });
        else response.destroy();
      }
    },
  };
}

const internalError = {
  computeFault: {
    code: 500,
    message:
      'Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.',
  },
};
