import type { Ownership, OwnershipSide, OwnershipStretch } from '../../../src/core/summary.ts';
import { must } from '../../firedrill.ts';

/** A capture's packets of a virtual address: times in ms since the Unix epoch. */
export interface Packets {
  /** Adverts by the name of the host that sent them. */
  readonly adverts: ReadonlyMap<string, readonly number[]>;
  /** Gratuitous ARP, by host: a host sends it when it takes the address. */
  readonly announcements: ReadonlyMap<string, readonly number[]>;
  /** Answers to who-has, by host. */
  readonly answers: ReadonlyMap<string, readonly number[]>;
}

/** Hosts by name, with the addresses that identify them in packets. */
export type Stations = Readonly<Record<string, { readonly ip: string; readonly mac: string }>>;

const pcap = '/tmp/firedrill-packet-truth.pcap';

/** Captures VRRP and ARP in a container until `stop`, which returns the packets as tcpdump text. */
export async function startCapture(container: string): Promise<{ stop: () => Promise<string> }> {
  const inside = (...argv: string[]): Promise<string> => must(['docker', 'exec', container, ...argv]);
  // Remember the pid, because probes run tcpdump too.
  const pid = await inside(
    'sh',
    '-c',
    `rm -f ${pcap}; tcpdump -i eth0 -n -U -w ${pcap} "vrrp or arp" >/dev/null 2>&1 & until [ -s ${pcap} ]; do :; done; echo $!`,
  );
  return {
    stop: async () => {
      await inside('kill', '-INT', pid.trim());
      await inside('sh', '-c', `while kill -0 ${pid.trim()} 2>/dev/null; do :; done`);
      return inside('tcpdump', '-n', '-tt', '-e', '-r', pcap);
    },
  };
}

/** Parses tcpdump's text, independent of the probes' own parser, which is under test. */
export function readPackets(text: string, vip: string, stations: Stations): Packets {
  const found = { adverts: new Map(), announcements: new Map(), answers: new Map() } as Record<
    keyof Packets,
    Map<string, number[]>
  >;
  const names = Object.keys(stations);
  const named = (match: (station: Stations[string]) => boolean): string | undefined =>
    names.find((name) => {
      const station = stations[name];
      return station !== undefined && match(station);
    });
  for (const line of text.split('\n')) {
    const atMs = Number(line.split(' ', 1)[0]) * 1000;
    const add = (kind: keyof Packets, name: string | undefined): void => {
      if (name !== undefined) found[kind].set(name, [...(found[kind].get(name) ?? []), atMs]);
    };
    const advert = /([\d.]+) > 224\.0\.0\.18: .*Advertisement/.exec(line);
    if (advert !== null)
      add(
        'adverts',
        named(({ ip }) => ip === advert[1]),
      );
    if (!line.includes('ARP')) continue;
    const sender = /^\S+ ([0-9a-f:]{17}) >/.exec(line)?.[1];
    const byMac = named(({ mac }) => mac === sender);
    if (line.includes(`who-has ${vip} `) && line.includes(`tell ${vip},`)) add('announcements', byMac);
    // An answer is unicast to the requester; a broadcast is an announcement.
    else if (line.includes(`Reply ${vip} is-at`))
      add(line.includes('> ff:ff:ff:ff:ff:ff') ? 'announcements' : 'answers', byMac);
  }
  return found;
}

/** Maximum difference at an edge between an ownership side and the packets, ms: two clocks of one machine, and a process start. */
const toleranceMs = 100;

/** A stretch on the wall clock, with the interval in which it is certain. */
interface Sure extends OwnershipStretch {
  readonly sureFromMs: number;
  readonly sureToMs: number;
  readonly wall: (offsetMs: number) => number;
}

function sureStretches({ spans }: OwnershipSide): readonly Sure[] {
  return spans.map((span) => {
    const wall = (offsetMs: number): number => Date.parse(span.startAt) - span.fromMs + offsetMs;
    return { ...span, wall, sureFromMs: wall(span.fromMaxMs), sureToMs: wall(span.toMinMs) };
  });
}

function sideOf(ownership: readonly Ownership[], name: string): OwnershipSide {
  const side = ownership[0]?.sides.find((s) => s.side === name);
  if (side === undefined) throw new Error(`the summary has no side ${name}`);
  return side;
}

const within = (atMs: number, fromMs: number, toMs: number): boolean => atMs > fromMs && atMs < toMs;

/**
 * Errors of the side `advertised`, one sentence each. An owner must send adverts without a gap longer than `silentAfterMs`,
 * and no other host may send any. A new owner must send its first advert within the bounds of the edge.
 */
export function advertFaults(
  ownership: readonly Ownership[],
  packets: Packets,
  silentAfterMs: number,
): string[] {
  const stretches = sureStretches(sideOf(ownership, 'advertised'));
  return stretches.flatMap((stretch, index) => {
    const { owners, maybe, sureFromMs, sureToMs, wall } = stretch;
    const faults: string[] = [];
    const label = `advertised by ${owners.join(' and ') || 'no host'} from ${(stretch.fromMs / 1000).toFixed(2)} s`;
    for (const [name, sent] of packets.adverts) {
      const here = sent.filter((ms) => within(ms, sureFromMs + toleranceMs, sureToMs - toleranceMs));
      if (owners.includes(name)) {
        // Its last advert may be before the edge; the gap counts from there.
        const marks = [Math.max(sureFromMs, sent.findLast((ms) => ms <= sureFromMs) ?? 0), ...here, sureToMs];
        const gapMs = Math.max(...marks.slice(1).map((ms, i) => ms - (marks[i] ?? ms)));
        if (gapMs > silentAfterMs + toleranceMs)
          faults.push(`${label}: ${name} sent nothing for ${Math.round(gapMs)} ms`);
      } else if (!maybe.includes(name) && here.some((ms) => ms < sureToMs - silentAfterMs)) {
        faults.push(`${label}: ${name} sent ${here.length} adverts`);
      }
      const before = stretches[index - 1];
      if (
        before !== undefined &&
        owners.includes(name) &&
        !before.owners.includes(name) &&
        !before.maybe.includes(name)
      ) {
        const first = sent.find(
          (ms) => ms > before.sureFromMs + silentAfterMs || ms > wall(stretch.fromMinMs) - toleranceMs,
        );
        if (
          first === undefined ||
          !within(first, wall(stretch.fromMinMs) - toleranceMs, wall(stretch.fromMaxMs) + toleranceMs)
        )
          faults.push(`${label}: ${name}'s first advert is not within the bounds of the edge`);
      }
    }
    return faults;
  });
}

/** Errors of the side `answered`: only an owner may answer, and each owner must answer. */
export function answerFaults(ownership: readonly Ownership[], packets: Packets): string[] {
  return sureStretches(sideOf(ownership, 'answered')).flatMap(
    ({ owners, maybe, sureFromMs, sureToMs, fromMs }) => {
      const label = `answered by ${owners.join(' and ') || 'no host'} from ${(fromMs / 1000).toFixed(2)} s`;
      const answered = (name: string): number =>
        (packets.answers.get(name) ?? []).filter((ms) =>
          within(ms, sureFromMs + toleranceMs, sureToMs - toleranceMs),
        ).length;
      const others = [...packets.answers.keys()].filter(
        (name) => !owners.includes(name) && !maybe.includes(name),
      );
      return [
        ...others.flatMap((name) =>
          answered(name) > 0 ? [`${label}: ${name} answered ${answered(name)} times`] : [],
        ),
        // Samples are more than 1 s apart, so a short stretch may have no answer.
        ...(sureToMs - sureFromMs < 3000
          ? []
          : owners.flatMap((name) => (answered(name) === 0 ? [`${label}: ${name} never answered`] : []))),
      ];
    },
  );
}

/** Errors of the side `claimed`: a new owner must announce itself within the bounds of the edge. */
export function claimFaults(ownership: readonly Ownership[], packets: Packets): string[] {
  const stretches = sureStretches(sideOf(ownership, 'claimed'));
  return stretches.flatMap((stretch, index) => {
    const before = stretches[index - 1];
    if (before === undefined) return [];
    const gained = stretch.owners.filter(
      (name) => !before.owners.includes(name) && !before.maybe.includes(name),
    );
    return gained.flatMap((name) => {
      const earliest = stretch.wall(stretch.fromMinMs) - toleranceMs;
      // keepalived adds the address and announces it at the same time.
      const first = (packets.announcements.get(name) ?? []).find((ms) => ms > earliest);
      return first !== undefined && first < stretch.wall(stretch.fromMaxMs) + toleranceMs
        ? []
        : [
            `claimed by ${name} from ${(stretch.fromMs / 1000).toFixed(2)} s: it announced itself ${first === undefined ? 'never' : `${Math.round(first - earliest)} ms after the earliest moment`}`,
          ];
    });
  });
}

/** The packets as if they were captured `byMs` later; the checks must detect the difference. */
export function shifted(packets: Packets, byMs: number): Packets {
  const shift = (of: ReadonlyMap<string, readonly number[]>) =>
    new Map([...of].map(([name, times]) => [name, times.map((ms) => ms + byMs)]));
  return {
    adverts: shift(packets.adverts),
    announcements: shift(packets.announcements),
    answers: shift(packets.answers),
  };
}
