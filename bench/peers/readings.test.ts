import { expect, it } from 'vitest';
import { windowsOfSamples } from '../reported.ts';
import { totalOfAutocannon } from './autocannon.ts';
import { samplesOfCurl } from './curl-loop.ts';
import { samplesOfFping } from './fping.ts';
import { samplesOfHey } from './hey.ts';
import { samplesOfHttping } from './httping.ts';
import { samplesOfPrometheus } from './prometheus.ts';

// Real outputs of the tools while a server failed. Each line comes 1 s after the previous one.
const stamped = (text: string) => text.split('\n').map((line, index) => ({ atMs: index * 1000, text: line }));
const goodOf = (samples: readonly { readonly ok: boolean }[]) =>
  samples.map(({ ok }) => (ok ? '+' : '-')).join('');

it('reads the curl loop: one status code per line, 000 without an answer', () => {
  expect(goodOf(samplesOfCurl(stamped('200\n000\n503\n200')))).toBe('+--+');
});

it('reads httping 2.5', () => {
  const output = `PING 127.0.0.1:37117 (/):
connected to 127.0.0.1:37117 (105 bytes), seq=3 time=  3.29 ms 200 OK
could not connect (Connection refused)

connected to 127.0.0.1:37117 (105 bytes), seq=12 time=  1.92 ms 200 OK
timeout while receiving reply-headers from host
short read during receiving reply-headers from host
connected to 127.0.0.1:37117 (122 bytes), seq=19 time=  0.81 ms 503 Service Unavailable
connect time out

connected to 127.0.0.1:37117 (105 bytes), seq=32 time=  0.91 ms 200 OK
--- http://127.0.0.1:37117/ ping statistics ---
33 connects, 25 ok, 24.24% failed, time 35889ms
round-trip min/avg/max = 0.6/38.9/985.4 ms`;
  const samples = samplesOfHttping(stamped(output));
  expect(goodOf(samples)).toBe('+-+----+');
  expect(samples[1]).toEqual({ atMs: 2000, ok: false });
});

it('reads hey 0.1.4: failed requests are missing from its CSV', () => {
  const output = [
    'response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset',
    '0.0012,0.0002,0.0000,0.0000,0.0009,0.0001,200,2.0263',
    '0.0011,0.0003,0.0000,0.0000,0.0006,0.0001,200,3.0291',
    '0.0020,0.0010,0.0000,0.0001,0.0009,0.0001,200,7.0265',
    '0.0026,0.0003,0.0000,0.0001,0.0019,0.0003,200,8.0273',
    '0.0010,0.0002,0.0000,0.0001,0.0005,0.0002,503,9.0266',
    '0.0030,0.0016,0.0000,0.0001,0.0011,0.0001,200,10.0264',
  ];
  const windows = windowsOfSamples(samplesOfHey(output, 50_000));
  expect(windows).toEqual([
    { fromMs: 54_029.1, toMs: 57_026.5, ms: expect.closeTo(2997.4, 3) as number },
    { fromMs: 59_026.6, toMs: 60_026.4, ms: expect.closeTo(999.8, 3) as number },
  ]);
});

it('reads autocannon 9: only 2xx answers count, because its errors are mostly reconnects', () => {
  const output =
    '{"url":"http://127.0.0.1:37117/","connections":1,"duration":34.18,"errors":16502,"timeouts":6,"non2xx":4,"2xx":22,"5xx":4}';
  expect(totalOfAutocannon(output)).toBe(12_000);
});

it('reads fping 5.1', () => {
  const output = `198.19.250.22 : [3], 64 bytes, 0.038 ms (0.099 avg, 0% loss)
198.19.250.22 : [4], timed out (0.099 avg, 20% loss)
198.19.250.22 : [5], timed out (0.099 avg, 33% loss)
198.19.250.22 : [6], 64 bytes, 0.057 ms (0.091 avg, 28% loss)

198.19.250.22 : xmt/rcv/%loss = 9/7/22%, min/avg/max = 0.038/0.081/0.262`;
  expect(goodOf(samplesOfFping(stamped(output)))).toBe('+--+');
});

it('reads Prometheus’ range of probe_success', () => {
  const reply =
    '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"probe_success","instance":"http://198.19.250.22:43659/","job":"blackbox"},"values":[[1795270248.487,"0"],[1795270249.487,"1"]]}]}}';
  const samples = samplesOfPrometheus(reply, -1_795_270_000_000);
  expect(samples.get('http://198.19.250.22:43659/')).toEqual([
    { atMs: 248_487, ok: false },
    { atMs: 249_487, ok: true },
  ]);
});
