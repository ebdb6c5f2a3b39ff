import type { Change } from './service.ts';

/** A span of the run clock, ms. It does not include its end. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The spans in which the service's state is `isUp`. */
export function spansOf(changes: readonly Change[], isUp: boolean, endMs: number): readonly Span[] {
  return changes.flatMap((change, index) => {
    const toMs = Math.min(endMs, changes[index + 1]?.atMs ?? endMs);
    return change.isUp === isUp && change.atMs < toMs ? [{ fromMs: change.atMs, toMs }] : [];
  });
}

/** Whether the span contains the time. */
export function contains({ fromMs, toMs }: Span, ms: number): boolean {
  return fromMs <= ms && ms < toMs;
}

/** The parts of the spans after the time `ms`. */
export function after(spans: readonly Span[], ms: number): readonly Span[] {
  return spans.flatMap((s) => (s.toMs <= ms ? [] : [{ fromMs: Math.max(s.fromMs, ms), toMs: s.toMs }]));
}

/** The sum of the spans' lengths, ms. */
export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** Joins two successive spans if `isJoined` accepts the gap between them. The spans must be in order. */
export function joined(spans: readonly Span[], isJoined: (gap: Span) => boolean): readonly Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last !== undefined && isJoined({ fromMs: last.toMs, toMs: span.fromMs }))
      out[out.length - 1] = { fromMs: last.fromMs, toMs: span.toMs };
    else out.push(span);
  }
  return out;
}
