import { execa } from 'execa';
import { must } from '../../firedrill.ts';
import { readPcap, type Segment } from './pcap.ts';

/** What passed between this machine and a server. */
export interface ProberPackets {
  /** This machine's address on the way there. */
  readonly client: string;
  readonly segments: readonly Segment[];
  /** The capture as tcpdump wrote it. */
  readonly pcap: Buffer;
  /** When the capture ended, ms since the Unix epoch. */
  readonly untilMs: number;
}

/** Has tcpdump; every lab has built it. */
const image = 'firedrill-lab/node:1';

/**
 * Does something beside a capture at the prober's own place: of TCP with an address, on
 * the interface by which this machine reaches it. tcpdump comes in a container, in this
 * machine's network.
 *
 * @throws Error when the kernel dropped packets: what is missing would look like an outage
 */
export async function besideCapture<T>(
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
  if (dropped !== '0') throw new Error(`tcpdump dropped packets: ${said}`);
  const pcap = Buffer.from(stdout);
  return { result, packets: { client: route.client, segments: readPcap(pcap), pcap, untilMs } };
}

async function routeTo(address: string): Promise<{ readonly interface: string; readonly client: string }> {
  const routes = JSON.parse(await must(['ip', '-json', 'route', 'get', address])) as {
    readonly dev: string;
    readonly prefsrc: string;
  }[];
  const [route] = routes;
  if (route === undefined) throw new Error(`no route to ${address}`);
  return { interface: route.dev, client: route.prefsrc };
}
