import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { traceOf, type KeyValue } from './lib/otlp-trace.ts';
import { otlp } from './otlp.ts';
import { exampleDrill, hostileFinished, textsIn } from './testing/drills.ts';
import { received } from './testing/received.ts';
import { answers, receiver, type Receiver } from './testing/receiver.ts';

const spansOf = (drill: Parameters<typeof traceOf>[0]) =>
  traceOf(drill, {}, '1').resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
const valueOf = (attributes: readonly KeyValue[], key: string) =>
  Object.values(attributes.find((a) => a.key === key)?.value ?? {})[0];

describe('the trace of a drill', () => {
  const drill = exampleDrill('wazuh-lb');
  const spans = spansOf(drill);
  const root = spans[0];

  test('has a span for each part, with the right parent', () => {
    const names = new Map(spans.map((s) => [s.spanId, s.name]));
    expect(spans.map((s) => [s.name, names.get(s.parentSpanId ?? '')])).toEqual([
      ['drill node-poweroff', undefined],
      ...['steady', 'fault', 'recovery', 'heal', 'redundancy'].map((p) => [
        `phase ${p}`,
        'drill node-poweroff',
      ]),
      ['fault power.cut', 'drill node-poweroff'],
      ['recovery', 'drill node-poweroff'],
      ['stage the other node takes over', 'recovery'],
      ['down dashboard', 'drill node-poweroff'],
      ['heal', 'drill node-poweroff'],
      ['return', 'drill node-poweroff'],
      ['stage nginx answers on both nodes', 'return'],
      ['stage the preferred node takes over again', 'return'],
      ['stage not attributed', 'return'],
    ]);
  });

  test('has the RTO with its bounds, the scenario, and the verdict', () => {
    const { rto, scenario } = drill.summary;
    for (const span of spans.filter((s) => s.name === 'recovery' || s === root)) {
      expect(valueOf(span.attributes, 'firedrill.rto.ms')).toBe(rto?.ms);
      expect(valueOf(span.attributes, 'firedrill.rto.min_ms')).toBe(rto?.minMs);
      expect(valueOf(span.attributes, 'firedrill.rto.max_ms')).toBe(rto?.maxMs);
    }
    expect(valueOf(root?.attributes ?? [], 'firedrill.scenario.sha256')).toBe(scenario.sha256);
    expect(valueOf(root?.attributes ?? [], 'firedrill.verdict')).toBe(drill.summary.verdict);
    expect(root?.events.map((e) => e.name)).toEqual(drill.summary.checks.map(() => 'check'));
  });

  test('has spans with the durations of the summary', () => {
    const lengthMs = (name: string) => {
      const span = spans.find((s) => s.name === name);
      return Number(BigInt(span?.endTimeUnixNano ?? 0) - BigInt(span?.startTimeUnixNano ?? 0)) / 1e6;
    };
    expect(lengthMs('recovery')).toBeCloseTo(drill.summary.rto?.ms ?? NaN, 2);
    expect(lengthMs('return')).toBeCloseTo(drill.summary.heal?.return?.ms ?? NaN, 2);
    expect(lengthMs('phase redundancy')).toBeCloseTo(drill.summary.phases.at(-1)?.ms ?? NaN, 2);
    const { startedAt, endedAt } = drill.summary;
    expect(lengthMs('drill node-poweroff')).toBe(Date.parse(endedAt) - Date.parse(startedAt));
  });

  test("has events at a fault's acknowledgment and effect", () => {
    const fault = drill.summary.faults[0];
    const events = spans.find((s) => s.name === 'fault power.cut')?.events;
    expect(events?.map((e) => [e.name, e.timeUnixNano])).toEqual([
      ['acknowledged', `${Date.parse(fault?.ackedAt ?? '')}000000`],
      ['effect', `${Date.parse(fault?.effectAt ?? '')}000000`],
    ]);
  });

  test('is the same for the same run, and differs for another run', () => {
    expect(spansOf(exampleDrill('wazuh-lb'))).toEqual(spans);
    const others = ['wazuh-lb', 'keepalived-docker', 'certlocker'].map((stack) =>
      spansOf(exampleDrill(stack, { runId: `another ${stack}` })),
    );
    expect(new Set(spans.map((s) => s.traceId)).size).toBe(1);
    const all = [spans, ...others];
    expect(new Set(all.map((trace) => trace[0]?.traceId)).size).toBe(all.length);
    const ids = all.flatMap((trace) => trace.map((s) => s.spanId));
    expect(new Set(ids).size).toBe(ids.length);
    for (const span of all.flat()) {
      expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    }
  });

  test('is an error if the verdict is fail or a fault is not healed', () => {
    const statusOf = (change: Parameters<typeof exampleDrill>[1]) =>
      spansOf(exampleDrill('wazuh-lb', change))[0]?.status;
    expect(statusOf({ verdict: 'pass' })).toEqual({ code: 1 });
    expect(statusOf({ verdict: 'inconclusive' })).toEqual({});
    expect(statusOf({ verdict: 'fail', reasons: ['too long', 'too often'] })).toEqual({
      code: 2,
      message: 'too long; too often',
    });
    expect(statusOf({ verdict: 'pass', reasons: [], healed: false })).toEqual({
      code: 2,
      message: 'not proven healed',
    });
  });

  test('ends open faults and outages at the end of the run', () => {
    const { faults, probes } = drill.summary;
    const open = exampleDrill('wazuh-lb', {
      healed: false,
      faults: faults.map((f) => ({ ...f, healedAt: null })),
      probes: probes.map((p) => ({ ...p, windows: p.windows.map((w) => ({ ...w, endAt: null })) })),
    });
    const end = `${Date.parse(drill.summary.endedAt)}000000`;
    for (const name of ['fault power.cut', 'down dashboard', 'heal']) {
      expect(spansOf(open).find((s) => s.name === name)?.endTimeUnixNano).toBe(end);
    }
    expect(spansOf(open).find((s) => s.name === 'fault power.cut')?.status).toMatchObject({ code: 2 });
  });

  test('omits outages beyond 200, and has their number', () => {
    const probes = drill.summary.probes.map((p) => ({
      ...p,
      windows: Array.from({ length: 250 }, () => p.windows[0]).flatMap((w) => (w === undefined ? [] : [w])),
    }));
    const many = spansOf(exampleDrill('wazuh-lb', { probes }));
    expect(many.filter((s) => s.name === 'down dashboard')).toHaveLength(200);
    expect(valueOf(many[0]?.attributes ?? [], 'firedrill.windows.left_out')).toBe('50');
  });

  test('is valid for a drill without a fault', () => {
    const nothing = {
      faults: [],
      stages: [],
      phases: [],
      probes: [],
      rto: null,
      downtime: null,
      redundancy: null,
    };
    expect(
      spansOf(exampleDrill('wazuh-lb', { ...nothing, heal: null, rpo: null })).map((s) => s.name),
    ).toEqual(['drill node-poweroff']);
  });

  test('accepts any text', () => {
    const all = spansOf(hostileFinished());
    expect(all.length).toBeGreaterThan(5);
    expect(textsIn(all).filter((text) => !text.isWellFormed())).toEqual([]);
    for (const span of all) expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).toBe(true);
  });
});

describe('the reporter', () => {
  let server: Receiver;
  beforeEach(async () => {
    server = await receiver();
  });
  afterEach(() => server.close());

  const send = async (env: Readonly<Record<string, string>>, value?: string) => {
    const context = received({ env });
    const reporter = otlp.create(value, context);
    const drill = exampleDrill('wazuh-lb');
    await reporter.drillEnded?.(drill);
    await reporter.runEnded?.({ drills: [drill], exitCode: 0 });
    return context;
  };

  test.each([
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT is a base URL',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'URL/base/' },
      undefined,
      '/base/v1/traces',
    ],
    [
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used unchanged, and overrides it',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'URL', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'URL/mine' },
      undefined,
      '/mine',
    ],
    ['the value overrides both', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'URL/mine' }, 'URL', '/v1/traces'],
    ['a value with the path is used unchanged', {}, 'URL/otlp/v1/traces', '/otlp/v1/traces'],
  ])('%s', async (_, env, value, path) => {
    const here = (text: string) => text.replace('URL', server.url);
    await send(
      Object.fromEntries(Object.entries(env).map(([name, text]) => [name, here(text)])),
      value === undefined ? undefined : here(value),
    );
    expect(server.received).toMatchObject([
      { method: 'POST', path, headers: { 'content-type': 'application/json' } },
    ]);
  });

  test("sends the environment's headers and resource", async () => {
    const context = await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20c2VjcmV0LWNhbmFyeQ==,x-scope-orgid=prod',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-scope-orgid=lab',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=lab%2C%20cellar,service.name=not-this',
      OTEL_SERVICE_NAME: 'drills',
    });
    const [sent] = server.received;
    expect(sent?.headers).toMatchObject({
      authorization: 'Bearer c2VjcmV0LWNhbmFyeQ==',
      'x-scope-orgid': 'lab',
    });
    const { resourceSpans } = JSON.parse(sent?.body ?? '') as ReturnType<typeof traceOf>;
    const resource = resourceSpans[0]?.resource.attributes ?? [];
    expect(valueOf(resource, 'service.name')).toBe('drills');
    expect(valueOf(resource, 'deployment.environment.name')).toBe('lab, cellar');
    // The tenant also occurs in reports, so it is not a secret.
    expect(context.secrets).toEqual(['Bearer c2VjcmV0LWNhbmFyeQ==', 'c2VjcmV0LWNhbmFyeQ==']);
  });

  test('a 200 that rejects spans is an error', async () => {
    const partial = { partialSuccess: { rejectedSpans: '3', errorMessage: 'no room' } };
    server.script(answers(200, {}, JSON.stringify(partial)));
    await expect(send({}, server.url)).rejects.toThrow(/127\.0\.0\.1:\d+: 3 spans were rejected: no room/);
    server.script(answers(200, {}, '{"partialSuccess":{}}'));
    await expect(send({}, server.url)).resolves.toBeDefined();
  });

  test.each([
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'c4nary' }, 'OTEL_EXPORTER_OTLP_HEADERS is malformed'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=c4nary%' }, 'OTEL_EXPORTER_OTLP_HEADERS is malformed'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=b%0d%0ac4nary' }, 'OTEL_EXPORTER_OTLP_HEADERS is malformed'],
    [{ OTEL_RESOURCE_ATTRIBUTES: '=c4nary' }, 'OTEL_RESOURCE_ATTRIBUTES is malformed'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'c4nary' }, 'OTEL_EXPORTER_OTLP_ENDPOINT: not a URL'],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL is grpc'],
    [
      { OTEL_EXPORTER_OTLP_HEADERS: 'a=c4nary', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' },
      'OTEL_EXPORTER_OTLP_ENDPOINT: would send a credential over plain HTTP',
    ],
  ])('refuses %j', (env, why) => {
    const create = () => otlp.create(undefined, received({ env }));
    expect(create).toThrow(why);
    expect(create).not.toThrow(/c4nary/);
  });

  test('without headers, plain HTTP to another host is allowed', () => {
    expect(() =>
      otlp.create('http://collector:4318', received({ env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } })),
    ).not.toThrow();
  });
});
