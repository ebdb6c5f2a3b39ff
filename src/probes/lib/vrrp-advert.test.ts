import { describe, expect, it } from 'vitest';
import { parseAdvert, readUnknownLine } from './vrrp-advert.ts';

const wallMs = 1_763_722_800_123.456;

describe('parseAdvert', () => {
  /** Node 1 of virtual router 51, with the default settings of keepalived. */
  const usual = { source: '198.18.2.11', virtualRouterId: 51, priority: 100, intervalMs: 1000 };
  const toAll = 'IP 198.18.2.11 > 224.0.0.18:';
  const settings = 'vrid 51, prio 100, authtype none, intvl 1s, length 20';

  it.each<[what: string, line: string, advert: Partial<typeof usual>]>([
    ['version 2', `${toAll} VRRPv2, Advertisement, ${settings}`, {}],
    [
      'version 2 with a password',
      'IP 198.18.2.12 > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 0, authtype simple, intvl 10s, length 20',
      { source: '198.18.2.12', priority: 0, intervalMs: 10_000 },
    ],
    [
      'an unknown authentication type',
      `${toAll} VRRPv2, Advertisement, vrid 51, prio 9, authtype #7, intvl 1s, length 20`,
      { priority: 9 },
    ],
    [
      'version 2 behind an authentication header',
      `${toAll} AH(length=4(24-bytes),spi=0xc612020b,seq=0x1f,icv=0x84a1f3ea6ca1ce5f09cf3bcf): VRRPv2, Advertisement, vrid 51, prio 100, authtype ah, intvl 1s, length 20`,
      {},
    ],
    [
      'version 3, whose interval is in hundredths of a second',
      `${toAll} VRRPv3, Advertisement, vrid 7, prio 254, intvl 25cs, length 12`,
      { virtualRouterId: 7, priority: 254, intervalMs: 250 },
    ],
    [
      'a time to live that routers refuse, and unicast',
      `IP 198.18.2.11 > 198.18.2.12: VRRPv2, Advertisement, (ttl 64), ${settings}`,
      {},
    ],
    [
      'the columns of `-i any`: interface and direction',
      `eth0  M   ${toAll} VRRPv2, Advertisement, ${settings}`,
      {},
    ],
    [
      'an advert that the host itself sends, on an interface with a dot and an @ in its name',
      `vrrp.51@eth0 Out ${toAll} VRRPv3, Advertisement, vrid 51, prio 100, intvl 100cs, length 12`,
      {},
    ],
  ])('reads %s', (_what, line, advert) => {
    expect(parseAdvert(`1763722800.123456 ${line}`)).toEqual({ wallMs, ...usual, ...advert });
  });

  it.each([
    '',
    'tcpdump: verbose output suppressed, use -v[v]... for full protocol decode',
    'listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes',
    '1763722800.123456',
    // No timestamp: output of `tcpdump -v`, which the probe does not use.
    '    198.18.2.11 > 224.0.0.18: vrrp 198.18.2.11 > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 100, authtype none, intvl 1s, length 20, addrs: 198.18.2.100',
    '1763722800.123456 IP 198.18.2.11 > 224.0.0.18: VRRPv3, Advertisement',
    '1763722800.123456 IP 198.18.2.11 > 224.0.0.18: VRRPv1, unknown type (3)',
    '1763722800.123456 IP 198.18.2.11 > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 100 [|vrrp]',
    '1763722800.123456 IP 198.18.2.11 > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 1',
    '1763722800.123456 IP6 fe80::1 > ff02::12: ip-proto-112 40',
    '1763722800.123456 IP 198.18.2.11 > 198.18.2.12: ICMP echo request, id 1, seq 1, length 64',
  ])('does not parse another line as an advert: %s', (line) => {
    expect(parseAdvert(line)).toBeUndefined();
  });
});

describe('readUnknownLine', () => {
  it.each([
    ['1763722800.123456 IP 198.18.2.11 > 224.0.0.18: VRRPv9, odd', { wallMs, source: '198.18.2.11' }],
    ['1763722800.123456 eth0  M   IP 198.18.2.11 > 224.0.0.18: odd', { wallMs, source: '198.18.2.11' }],
    ['1763722800.123456 eth0 ? X? IP 198.18.2.11 > 224.0.0.18: odd', { wallMs, source: undefined }],
    ['1763722800.123456 IP truncated-ip - 4 bytes missing!', { wallMs, source: undefined }],
    ['total nonsense', { wallMs: undefined, source: undefined }],
  ])('returns time and source if they can be parsed: %s', (line, packet) => {
    expect(readUnknownLine(line)).toEqual(packet);
  });
});
