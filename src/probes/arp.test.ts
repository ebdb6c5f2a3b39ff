import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { DrillError } from '../core/errors.ts';
import type { ExecResult, Host } from '../core/host.ts';
import type { ProbeSession } from '../core/probe.ts';
import { runMs, wallMs } from '../core/time.ts';
import { createLocalHost } from '../hosts/local.ts';
import { neverFollowed } from '../hosts/testing/never-followed.ts';
import { arp } from './arp.ts';
import { observe, openProbe } from './testing/attempt.ts';
import { temporaryFolder } from '../../test/temporary-folder.ts';

const vip = '198.18.2.100';
const nodeOne = '198.18.2.11';
const nodeTwo = '198.18.2.12';
const macOne = '02:42:c6:12:02:0b';
const macTwo = '02:42:c6:12:02:0c';
const stranger = '02:42:c6:12:02:63';
const version = { stdout: 'arping from iputils 20240905\n' };

/** Output of arping for each address, from the MACs that answer for it. */
type Answers = Record<string, readonly string[]>;

function arpings(answers: Answers, addresses: readonly string[]): string {
  return addresses
    .map((address) => {
      const macs = answers[address] ?? [];
      return [
        `ARPING ${address} from 198.18.2.20 eth0`,
        ...macs.map((mac, i) => `Unicast reply from ${address} [${mac.toUpperCase()}]  0.${562 + i}ms`),
        'Sent 1 probes (1 broadcast(s))',
        `Received ${macs.length} response(s)`,
        '',
      ].join('\n');
    })
    .join('');
}

/** A vantage that gets these answers, one round after the other. The last round stays. */
function vantage(...rounds: (Answers | Partial<ExecResult> | Error)[]): { host: Host; asked: string[][] } {
  const asked: string[][] = [];
  const host: Host = {
    name: 'vantage',
    transport: 'fake',
    follow: neverFollowed,
    exec: async (argv) => {
      if (argv[0] === 'arping') return { exitCode: 0, stderr: '', ...version };
      const addresses = argv.slice(6);
      asked.push([...argv.slice(4, 6), ...addresses]);
      const round = rounds.length > 1 ? rounds.shift() : rounds[0];
      if (round instanceof Error) throw round;
      const reported =
        round !== undefined && ('stdout' in round || 'stderr' in round)
          ? (round as Partial<ExecResult>)
          : { stdout: arpings(round as Answers, addresses) };
      return { exitCode: 0, stdout: '', stderr: '', ...reported };
    },
  };
  return { host, asked };
}

let nowMs = 0;
const clock: Clock = {
  nowMs: () => runMs(nowMs),
  wallMs: () => wallMs(nowMs),
  sleep: async () => {
    throw new Error('no probe sleeps');
  },
};

async function open(host: Host, over: object = {}): Promise<ProbeSession> {
  return openProbe(arp, { interface: 'eth0', address: vip, nodeAddress: nodeOne, ...over }, { host, clock });
}
const both = async (host: Host, over: object = {}) => [
  await open(host, over),
  await open(host, { nodeAddress: nodeTwo, ...over }),
];

/** One slot: all instances take a sample at the same moment. */
async function slot(sessions: readonly ProbeSession[]) {
  return Promise.all(sessions.map((session) => observe(session)));
}
const reported = async (sessions: readonly ProbeSession[]) =>
  (await slot(sessions)).map((seen) => (seen.status === 'ok' ? seen.value : seen.status));

const bothUp = { [nodeOne]: [macOne], [nodeTwo]: [macTwo] };
/** Moves to the next slot. Samples within 0.1 s are in the same slot. */
const nextSlot = (): void => void (nowMs += 1000);

describe('arp probe', () => {
  it('sends one round for all instances, for the shared address and for the nodes’ own', async () => {
    const { host, asked } = vantage({ ...bothUp, [vip]: [macOne] });
    const sessions = await both(host);
    expect(await reported(sessions)).toEqual(['answers', 'silent']);
    expect(asked).toEqual([['0.250', 'eth0', vip, nodeOne, nodeTwo]]);
    await Promise.all(sessions.map((session) => session.close()));
  });

  it('sends another round in the next slot, and reports that another node answers, or both', async () => {
    const { host, asked } = vantage(
      { ...bothUp, [vip]: [macTwo] },
      { ...bothUp, [vip]: [macTwo, macOne] },
      { ...bothUp, [vip]: [] },
    );
    const sessions = await both(host);
    expect(await reported(sessions)).toEqual(['silent', 'answers']);
    nextSlot();
    expect(await reported(sessions)).toEqual(['answers', 'answers']);
    nextSlot();
    expect(await reported(sessions)).toEqual(['silent', 'silent']);
    expect(asked).toHaveLength(3);
  });

  it('identifies a stopped node by its last MAC, and a node with a new MAC by the new one', async () => {
    const { host } = vantage(
      { ...bothUp, [vip]: [macOne] },
      { [nodeTwo]: [macTwo], [vip]: [macOne] },
      { ...bothUp, [nodeOne]: [stranger], [vip]: [stranger] },
    );
    const sessions = await both(host);
    const seen = [];
    for (let i = 0; i < 3; i++) {
      seen.push(await reported(sessions));
      nextSlot();
    }
    expect(seen).toEqual([
      ['answers', 'silent'],
      ['answers', 'silent'],
      ['answers', 'silent'],
    ]);
  });

  it('is unknown while an answer may come from a node that has never answered', async () => {
    const { host } = vantage(
      { [nodeTwo]: [macTwo], [vip]: [macOne] },
      { [nodeTwo]: [macTwo], [vip]: [macTwo] },
    );
    const sessions = await both(host);
    const [one, two] = await slot(sessions);
    expect(one).toMatchObject({
      status: 'unknown',
      message: expect.stringContaining(`MAC of ${nodeOne}`) as string,
    });
    expect(two).toMatchObject({ status: 'ok', value: 'silent', marks: [] });
    nextSlot();
    expect(await reported(sessions)).toEqual(['silent', 'answers']);
  });

  it('uses the configured MAC', async () => {
    const { host } = vantage({ ...bothUp, [vip]: ['02:42:c6:12:02:33'] });
    const sessions = [
      await open(host, { mac: '02:42:C6:12:02:33' }),
      await open(host, { nodeAddress: nodeTwo }),
    ];
    expect(await reported(sessions)).toEqual(['answers', 'silent']);
  });

  // keepalived's use_vmac: the master answers with the MAC of the virtual router.
  it.each([
    ['for the shared address', { ...bothUp, [vip]: ['00:00:5e:00:01:33'] }],
    [
      'for its own address as well',
      { ...bothUp, [nodeOne]: [macOne, '00:00:5e:00:01:33'], [vip]: ['00:00:5e:00:01:33'] },
    ],
  ])('is unknown if a virtual MAC answers %s', async (_what, answers) => {
    const seen = await slot(await both(vantage(answers).host));
    const message = `${vip} is answered by 00:00:5e:00:01:33, a virtual router MAC: ARP cannot show which node uses it; use a probe of kind vrrp or vip-claim`;
    expect(seen).toEqual([1, 2].map(() => ({ status: 'unknown', message })));
  });

  it('reports a node that answers with its own MAC, even if a virtual MAC answers too', async () => {
    const seen = await slot(await both(vantage({ ...bothUp, [vip]: ['00:00:5e:00:01:33', macOne] }).host));
    expect(seen).toMatchObject([{ value: 'answers', marks: [] }, { status: 'unknown' }]);
  });

  it('is unknown if both nodes have the answering MAC', async () => {
    // A router answers for all nodes (proxy ARP).
    const proxy = { [nodeOne]: [macOne], [nodeTwo]: [macOne], [vip]: [macOne] };
    const seen = await slot(await both(vantage(proxy).host));
    const message = `${vip} is answered by ${macOne}, which also answers for ${nodeOne}, ${nodeTwo}: ARP cannot show which of these nodes it is`;
    expect(seen).toEqual([1, 2].map(() => ({ status: 'unknown', message })));
  });

  it.each(['00:00:5E:00:01:33', '00:00:5e:00:02:01', '00:00:0c:07:ac:05', '00:00:0c:9f:f0:01'])(
    'refuses a virtual MAC as the MAC of a node: %s',
    (mac) => {
      const fields = { interface: 'eth0', address: vip, nodeAddress: nodeOne, mac };
      expect(arp.params.safeParse(fields).error?.issues[0]?.message).toBe(
        'a virtual MAC (VRRP, HSRP) belongs to the current master: remove `mac`, and use a probe of kind vrrp or vip-claim',
      );
    },
  );

  it('reports a stranger once, and again when it comes back', async () => {
    const { host } = vantage(
      { ...bothUp, [vip]: [macOne, stranger] },
      { ...bothUp, [vip]: [macOne, stranger] },
      { ...bothUp, [vip]: [macOne] },
      { ...bothUp, [vip]: [stranger] },
    );
    const sessions = await both(host);
    const marks = [];
    for (let i = 0; i < 4; i++) {
      const seen = await slot(sessions);
      marks.push(seen.flatMap((s) => (s.status === 'ok' ? (s.marks ?? []) : [])));
      nextSlot();
    }
    const mark = {
      name: 'stranger',
      wallMs: expect.any(Number) as number,
      text: `${vip} is answered by ${stranger}, which does not belong to ${nodeOne}, ${nodeTwo}`,
      value: stranger,
      // The mark's host is the requesting host, whichever instance reports it.
      host: 'vantage',
    };
    expect(marks).toEqual([[mark], [], [], [mark]]);
  });

  it('is unknown if no address gets an answer', async () => {
    const { host } = vantage({});
    expect(await slot(await both(host))).toEqual(
      [1, 2].map(() => ({
        status: 'unknown',
        message: `no ARP reply for ${vip}, ${nodeOne}, ${nodeTwo}: the path to this segment may be cut`,
      })),
    );
  });

  it.each([
    ['the interface is down', { stdout: 'Interface "eth0" is down\n'.repeat(3) }, 'Interface "eth0" is down'],
    [
      'the interface does not exist',
      { stderr: 'arping: Device eth0 not available.\n' },
      'Device eth0 not available',
    ],
    ['one of the requests was not sent', { stdout: arpings(bothUp, [vip, nodeOne]) }, 'sent no request'],
    [
      'no request was sent',
      { stdout: arpings({}, [vip, nodeOne, nodeTwo]).replace('Sent 1', 'Sent 0') },
      'sent no request',
    ],
    [
      'the vantage is unreachable',
      new DrillError('host-unreachable', 'vantage: not running'),
      'vantage: not running',
    ],
  ])('is unknown when %s', async (_what, round, words) => {
    const seen = await slot(await both(vantage(round).host));
    expect(seen).toEqual(
      [1, 2].map(() => ({ status: 'unknown', message: expect.stringContaining(words) as string })),
    );
  });

  it('refuses to open without iputils’ arping, a host, or addresses', async () => {
    const withVersion = (result: Partial<ExecResult>): Host => ({
      ...vantage({}).host,
      exec: async () => ({ exitCode: 0, stdout: '', stderr: '', ...result }),
    });
    await expect(open(withVersion({ exitCode: 127 }))).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'vantage has no arping',
      hint: expect.stringContaining('iputils-arping') as string,
    });
    await expect(open(withVersion({ stdout: 'ARPing 2.25, by Thomas Habets' }))).rejects.toThrow(
      'not the iputils version',
    );
    const fields = { interface: 'eth0', address: vip, nodeAddress: nodeOne };
    await expect(openProbe(arp, fields)).rejects.toMatchObject({ code: 'invalid-input' });
    const { host } = vantage({});
    await expect(open(host, { nodeAddress: '${address}' })).rejects.toThrow(
      'nodeAddress: "${address}" is not an IPv4 address',
    );
  });

  it('runs an arping for each address at once, and ends them', async () => {
    const folder = temporaryFolder();
    // Like the real arping: runs until it gets a signal, and then prints its statistics.
    writeFileSync(
      join(folder, 'arping'),
      `#!/bin/sh
[ "$1" = -V ] && exec echo arping from iputils
trap 'echo "Sent 1 probes (1 broadcast(s))"; exit 0' TERM
echo "ARPING $4 from 198.18.2.20 $3"
case $4 in ${vip} | ${nodeOne}) echo "Unicast reply from $4 [${macOne}]  0.5ms" ;; esac
while :; do sleep 0.01; done`,
    );
    chmodSync(join(folder, 'arping'), 0o755);
    const local = createLocalHost('vantage');
    const path = `PATH=${folder}:${process.env['PATH'] ?? ''}`;
    const host: Host = { ...local, exec: (argv, options) => local.exec(['env', path, ...argv], options) };
    expect(await reported(await both(host))).toEqual(['answers', 'silent']);
  });
});
