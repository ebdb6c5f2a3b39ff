import { describe, expect, test, onTestFinished } from 'vitest';
import { dnsServer, type DnsQuestion, type DnsReply } from '../net/testing/dns-server.ts';
import { createNameResolver, type NameSources } from './name-resolver.ts';

/** A resolver with its own server, and the queries of that server. */
async function resolverAt(reply: (question: DnsQuestion) => DnsReply, more: NameSources = {}) {
  const asked: string[] = [];
  const server = await dnsServer((_, question) => {
    asked.push(`${question.type === 1 ? 'A' : 'AAAA'} ${question.name}`);
    return reply(question);
  });
  onTestFinished(server.close);
  let nowMs = 0;
  const resolve = createNameResolver({
    servers: [server.address],
    readHosts: () => '198.18.0.7 fixed.example\n',
    readConf: () => '',
    askSystem: async () => [],
    nowMs: () => nowMs,
    ...more,
  });
  const advance = (ms: number): void => void (nowMs += ms);
  return { resolve, asked, advance };
}

const four = (address: string, ttl?: number): DnsReply => ({
  rcode: 0,
  answers: [Buffer.from(address.split('.').map(Number))],
  ...(ttl === undefined ? {} : { ttl }),
});
const absent: DnsReply = { rcode: 3 };
const only4 =
  (address: string, ttl?: number) =>
  ({ type }: DnsQuestion): DnsReply =>
    type === 1 ? four(address, ttl) : { rcode: 0 };

describe('a name', () => {
  test('in the hosts file, and localhost, is resolved without a query', async () => {
    const { resolve, asked } = await resolverAt(() => undefined);
    expect(await resolve('Fixed.example')).toEqual([{ address: '198.18.0.7', family: 4 }]);
    expect((await resolve('localhost'))[0]).toEqual({ address: '127.0.0.1', family: 4 });
    expect(asked).toEqual([]);
  });

  test('is cached for the TTL of its answer, and queried again after that', async () => {
    const { resolve, asked, advance } = await resolverAt(only4('198.18.0.1', 30));
    expect(await resolve('db.example')).toEqual([{ address: '198.18.0.1', family: 4 }]);
    advance(29_999);
    await resolve('db.example');
    expect(asked.filter((one) => one.startsWith('A '))).toHaveLength(1);
    advance(1);
    await resolve('db.example');
    expect(asked.filter((one) => one.startsWith('A '))).toHaveLength(2);
  });

  test('is queried once for concurrent callers', async () => {
    const { resolve, asked } = await resolverAt(only4('198.18.0.1', 0));
    await Promise.all([resolve('db.example'), resolve('db.example'), resolve('db.example')]);
    expect(asked.filter((one) => one.startsWith('A '))).toHaveLength(1);
  });

  test('has addresses of both families, and does not wait long for the second', async () => {
    const six = Buffer.from('20010db8000000000000000000000001', 'hex');
    const both = await resolverAt(({ type }) =>
      type === 1 ? four('198.18.0.1') : { rcode: 0, type: 28, answers: [six] },
    );
    expect((await both.resolve('db.example')).map(({ family }) => String(family)).toSorted()).toEqual([
      '4',
      '6',
    ]);
    // The AAAA query gets no answer.
    const half = await resolverAt(({ type }) => (type === 1 ? four('198.18.0.1') : undefined));
    expect(await half.resolve('db.example')).toEqual([{ address: '198.18.0.1', family: 4 }]);
  });

  test('is queried along the search domains of resolv.conf', async () => {
    const { resolve, asked } = await resolverAt(
      ({ name, type }) => (name === 'db.two.example' && type === 1 ? four('198.18.0.2') : absent),
      { readConf: () => 'search one.example two.example' },
    );
    expect(await resolve('db')).toEqual([{ address: '198.18.0.2', family: 4 }]);
    expect(asked).toContain('A db.one.example');
  });

  test('missing in DNS is queried in the rest of the name service, once in five seconds', async () => {
    let calls = 0;
    const { resolve, advance } = await resolverAt(() => absent, {
      askSystem: async (name) => (
        calls++,
        name === 'printer.local' ? [{ address: '198.18.0.9', family: 4 }] : []
      ),
    });
    expect(await resolve('printer.local')).toEqual([{ address: '198.18.0.9', family: 4 }]);
    await resolve('printer.local');
    expect(calls).toBe(1);
    advance(5000);
    await resolve('printer.local');
    expect(calls).toBe(2);
    await expect(resolve('nobody.example')).rejects.toMatchObject({
      code: 'ENOTFOUND',
      message: 'DNS: no such name: nobody.example',
    });
  });

  test.each<[DnsReply, string]>([
    [{ rcode: 2 }, 'DNS could not resolve db.example: SERVFAIL'],
    [{ rcode: 5 }, 'DNS could not resolve db.example: REFUSED'],
    [undefined, 'DNS could not resolve db.example: no answer'],
  ])(
    'that a server cannot resolve (%j) is unknown, and no other source is queried',
    async (reply, message) => {
      const { resolve } = await resolverAt(() => reply, {
        askSystem: async () => {
          throw new Error('asked');
        },
      });
      await expect(resolve('db.example')).rejects.toMatchObject({ code: 'EAI_AGAIN', message });
    },
  );
});
