import { expect, test } from 'vitest';
import { probeOf } from '../../../src/analysis/testing/log-builder.ts';
import { questionOf } from './probe-question.ts';

test.each([
  [
    { url: 'https://wazuh.example.com/api/status', connectTo: '198.18.1.100:443', connection: 'new' },
    { server: '198.18.1.100:443', question: { protocol: 'tls' }, timeoutMs: 900 },
  ],
  [
    { url: 'http://198.18.2.100:8080/health?full=1', method: 'GET', connection: 'new' },
    {
      server: '198.18.2.100:8080',
      question: { protocol: 'http', request: 'GET /health?full=1 ' },
      timeoutMs: 900,
    },
  ],
])("an http probe's question has its URL and its connect address", (params, question) => {
  expect(questionOf(probeOf('dashboard', { params }))).toEqual(question);
});

test("a session's question is line by line", () => {
  const params = { address: '198.18.1.100:1514', send: 'hello', expect: '^ack' };
  expect(questionOf(probeOf('session', { kind: 'tcp-session', params }))).toEqual({
    server: '198.18.1.100:1514',
    question: { protocol: 'line', answer: /^ack/ },
    timeoutMs: 900,
  });
});

test('a probe that packets cannot check is refused', () => {
  expect(() => questionOf(probeOf('db', { kind: 'sql', params: {} }))).toThrow(
    'db: packets cannot check sql probes',
  );
  const params = { url: 'http://198.18.2.100/', connection: 'kept-alive' };
  expect(() => questionOf(probeOf('kept', { params }))).toThrow('http probes with kept connections');
});
