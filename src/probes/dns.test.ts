import { describe, expect, it, onTestFinished } from 'vitest';
import { ProbeTimeout } from '../core/probe.ts';
import { dns } from './dns.ts';
import { dnsName, dnsServer, type DnsReply } from '../net/testing/dns-server.ts';
import { attemptOnce, openProbe } from './testing/attempt.ts';

async function serverThat(reply: (question: number) => DnsReply) {
  const server = await dnsServer(reply);
  onTestFinished(server.close);
  return server;
}

const ip = (text: string): Buffer => Buffer.from(text.split('.').map(Number));
const int16 = (...numbers: number[]): Buffer => Buffer.from(numbers.flatMap((n) => [n >> 8, n & 255]));

async function ask(reply: DnsReply, fields: object = {}, timeoutMs = 1000) {
  const { address: server } = await serverThat(() => reply);
  return attemptOnce(dns, { name: 'vip.example', server, ...fields }, { timeoutMs });
}

describe('dns probe', () => {
  it('returns the sorted answers, and the time that they took', async () => {
    const answers = [ip('198.18.0.20'), ip('198.18.0.10')];
    const { seen } = await ask({ rcode: 0, answers });
    expect(seen).toEqual({
      status: 'ok',
      value: '198.18.0.10, 198.18.0.20',
      phases: { firstByteMs: expect.any(Number) as number },
    });
  });

  it.each<[string, number, Buffer, string]>([
    ['AAAA', 28, Buffer.from('20010db8000000000000000000000001', 'hex'), '2001:db8::1'],
    ['CNAME', 5, dnsName('node-1.example'), 'node-1.example'],
    ['MX', 15, Buffer.concat([int16(10), dnsName('mail.example')]), '10 mail.example'],
    ['SRV', 33, Buffer.concat([int16(1, 2, 5432), dnsName('db.example')]), '1 2 5432 db.example'],
    ['TXT', 16, Buffer.from('\u0005state\u0002=1'), 'state=1'],
    [
      'SOA',
      6,
      Buffer.concat([dnsName('ns.example'), dnsName('root.example'), int16(0, 2026, 0, 1, 0, 1, 0, 1, 0, 1)]),
      '2026',
    ],
  ])('reads %s records', async (type, number, data, value) => {
    const { seen } = await ask({ rcode: 0, type: number, answers: [data] }, { type });
    expect(seen).toMatchObject({ status: 'ok', value });
  });

  it.each<[string, DnsReply, string]>([
    ['NXDOMAIN', { rcode: 3 }, 'the name does not exist (NXDOMAIN)'],
    ['SERVFAIL', { rcode: 2 }, 'the server reported a failure (SERVFAIL)'],
    ['REFUSED', { rcode: 5 }, 'the server refused the query (REFUSED)'],
    ['NOTIMP', { rcode: 4 }, 'the server does not support the query (NOTIMP)'],
    ['no record', { rcode: 0 }, 'the name has no record of this type'],
  ])('fails with the cause dns for %s', async (_what, reply, message) => {
    const { seen } = await ask(reply);
    expect(seen).toMatchObject({ status: 'fail', cause: 'dns', message });
  });

  it('fails as timeout, not before the timeout, without an answer, and queries once', async () => {
    const server = await serverThat(() => undefined);
    const attempt = await attemptOnce(
      dns,
      { name: 'vip.example', server: server.address },
      { timeoutMs: 200 },
    );
    expect(attempt.seen).toMatchObject({
      status: 'fail',
      cause: 'timeout',
      message: 'no answer within 200 ms',
    });
    expect(attempt.tookMs).toBeGreaterThan(199);
    expect(server.seen).toHaveLength(1);
  });

  it('fails as refused on a closed port', async () => {
    const server = await dnsServer(() => undefined);
    await server.close();
    const { seen } = await attemptOnce(dns, { name: 'vip.example', server: server.address });
    expect(seen).toMatchObject({ status: 'fail', cause: 'refused' });
  });

  it('checks the value, and reports it also if it does not match', async () => {
    const reply = { rcode: 0, answers: [ip('198.18.0.10')] };
    expect((await ask(reply, { expect: '^198\\.18\\.0\\.10$' })).seen.status).toBe('ok');
    expect((await ask(reply, { expect: '^198\\.18\\.0\\.20$' })).seen).toMatchObject({
      status: 'fail',
      cause: 'bad-body',
      value: '198.18.0.10',
    });
  });

  it('lets samples overlap: the end of one does not affect the others, and each has its own port', async () => {
    const server = await serverThat((question) =>
      question === 0 ? undefined : { rcode: 0, answers: [ip('198.18.0.10')] },
    );
    const session = await openProbe(dns, { name: 'vip.example', server: server.address });
    const first = new AbortController();
    const silent = session.observe(first.signal);
    await expect.poll(() => server.seen.length).toBe(1);
    const second = session.observe(new AbortController().signal);
    first.abort(new ProbeTimeout(5));
    expect(await silent).toMatchObject({ status: 'fail', cause: 'timeout' });
    expect(await second).toMatchObject({ status: 'ok' });
    expect(new Set(server.seen).size).toBe(2);
    await session.close();
  });

  it('is unknown if the sample was aborted before it started', async () => {
    const session = await openProbe(dns, { name: 'x.example', server: '127.0.0.1:1' });
    expect((await session.observe(AbortSignal.abort(new Error('the run stops')))).status).toBe('unknown');
  });

  it.each(['192.0.2.1', '192.0.2.1:5353', '2001:db8::1', '[2001:db8::1]', '[2001:db8::1]:5353'])(
    'accepts the server %s',
    async (server) => {
      await expect(openProbe(dns, { name: 'x.example', server })).resolves.toBeDefined();
    },
  );

  it.each(['ns.example', '192.0.2.1:0', '192.0.2.1:70000', '192.0.2', '[192.0.2.1'])(
    'refuses the server "%s"',
    async (server) => {
      await expect(openProbe(dns, { name: 'x.example', server })).rejects.toThrow(
        `"${server}" is not an IP address`,
      );
    },
  );
});
