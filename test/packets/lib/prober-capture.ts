import { execa } from 'execa';
import { must } from '../../firedrill.ts';
import { readPcap, type Segment } from './pcap.ts';

/** The packets between this machine and a server. */
export interface ProberPackets {
  /** This machine's address on the route to the server. */
  readonly client: string;
  readonly segments: readonly Segment[];
  /** The capture as tcpdump wrote it. */
  readonly pcap: Buffer;
  /** When the capture ended, ms since the Unix epoch. */
  readonly untilMs: number;
}

/** An image with tcpdump; every lab builds it. */
const image = 'firedrill-lab/node:1';

/**
 * Runs `act` in parallel with a capture at the prober: of TCP with an address, on this machine's interface to it. tcpdump
 * runs in a container in this machine's network namespace.
 *
 * @throws Error if the kernel dropped packets, because missing packets would look like an outage
 */
export async function parallelCapture<T>(
  address: string,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly packets: ProberPackets }> {
  const route = await routeTo(address);
  const filter = `tcp and host ${address} and host ${route.client}`;
  const network = ['--network', 'host', '--cap-add', 'NET_RAW'];
  const tcpdump = ['-i', route.interface, '-n', '-U', '-w', '-', filter];
  const running = execa('docker', ['run', '--rm', ...network, '--entrypoint', 'tcpdump', image, ...tcpdump], {
    encoding: 'buffer',
    stdin: 'ignore',
  });
  let said = '';
  const listening = new Promise<void>((resolve) => {
    running.stderr.on('data', (text: Buffer) => {
      said += text.toString('utf8');
      if (said.includes('listening on')) resolve();
    });
  });
  await Promise.race([listening, running]);
  let untilMs = Infinity;
  const result = await act().finally(() => {
    untilMs = Date.now();
    running.kill('SIGINT');
  });
  const { stdout } = await running;
  const dropped = /(\d+) packets? dropped by kernel/.exec(said)?.[1];
  if (dropped !== '0') throw new Error(`capture packets: the kernel dropped some: ${said}`);
  const pcap = Buffer.from(stdout);
  return { result, packets: { client: route.client, segments: readPcap(pcap), pcap, untilMs } };
}

async function routeTo(address: string): Promise<{ readonly interface: string; readonly client: string }> {
  const routes = JSON.parse(await must(['ip', '-json', 'route', 'get', address])) as {
    readonly dev: string;
    readonly prefsrc: string;
  }[];
  const [route] = routes;
  if (route === undefined) throw new Error(`find a route to ${address}: ip route get returned none`);
  return { interface: route.dev, client: route.prefsrc };
}
