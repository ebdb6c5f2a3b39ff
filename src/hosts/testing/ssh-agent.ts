import { createServer } from 'node:net';
import ssh2, { type AgentInboundRequest, type ParsedKey } from 'ssh2';
import type { TestKey } from './ssh-server.ts';

/** For tests: an agent on a Unix socket that holds keys. */
export interface TestAgent {
  /** How often a key signed. */
  signatures(): number;
  close(): Promise<void>;
}

export async function startAgent(socketPath: string, keys: readonly TestKey[]): Promise<TestAgent> {
  let signatures = 0;
  const server = createServer((socket) => {
    const protocol = new ssh2.AgentProtocol(false);
    socket.on('error', () => {});
    protocol.on('error', () => {});
    protocol.on('identities', (request: AgentInboundRequest) => {
      protocol.getIdentitiesReply(
        request,
        keys.map((key) => key.parsed),
      );
    });
    protocol.on('sign', (request: AgentInboundRequest, requested: ParsedKey, data: Buffer) => {
      const key = keys.find((one) => one.parsed.getPublicSSH().equals(requested.getPublicSSH()));
      if (key === undefined) return protocol.failureReply(request);
      signatures += 1;
      protocol.signReply(request, key.parsed.sign(data));
    });
    protocol.pipe(socket).pipe(protocol);
  });
  await new Promise<void>((resolve) => void server.listen(socketPath, resolve));
  return {
    signatures: () => signatures,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
