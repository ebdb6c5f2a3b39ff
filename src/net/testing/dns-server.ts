import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** For tests: the reply to a question: `rcode` 0 with answers of one type, or an error. undefined: no reply. A string: not DNS. */
export type DnsReply =
  | {
      readonly rcode: number;
      readonly type?: number;
      readonly answers?: readonly Buffer[];
      /** TTL of each answer, s; default: 1. */
      readonly ttl?: number;
    }
  | string
  | undefined;

/** For tests: a DNS question; type 1 is A, 28 is AAAA. */
export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
}

/** For tests: a scripted DNS server on a free UDP port of the loopback. `seen`: the source ports of its queries. */
export async function dnsServer(reply: (count: number, question: DnsQuestion) => DnsReply): Promise<{
  readonly address: string;
  readonly seen: readonly number[];
  readonly close: () => Promise<void>;
}> {
  const socket = createSocket('udp4');
  const seen: number[] = [];
  socket.on('message', (query, from) => {
    const what = reply(seen.push(from.port) - 1, questionOf(query));
    if (what === undefined) return;
    socket.send(typeof what === 'string' ? Buffer.from(what) : packet(query, what), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const close = async (): Promise<void> => {
    socket.close();
    await once(socket, 'close');
  };
  return { address: `127.0.0.1:${socket.address().port}`, seen, close };
}

/** RFC 1035, 4.1.2. */
function questionOf(query: Buffer): DnsQuestion {
  const labels: string[] = [];
  let at = 12;
  for (let length; (length = query[at] ?? 0) > 0; at += length + 1)
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1) };
}

/** RFC 1035, 4.1: repeats the question, and adds answers that point to its name. */
function packet(query: Buffer, reply: Exclude<DnsReply, string | undefined>): Buffer {
  const { rcode, type = 1, answers = [], ttl = 1 } = reply;
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  const question = query.subarray(12, end + 5);
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt32BE(0, 8);
  const records = answers.map((data) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(ttl, 6);
    record.writeUInt16BE(data.length, 10);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([header, question, ...records]);
}

/** For tests: a name in wire format. */
export function dnsName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(`\0${label}`));
  for (const label of labels) label[0] = label.length - 1;
  return Buffer.concat([...labels, Buffer.from([0])]);
}
