import type { Change } from './service.ts';

/** A stretch of the run clock, ms. The end is not part of it. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The stretches in which the last change before them says `isUp`. */
export function spansOf(changes: readonly Change[], isUp: boolean, endMs: number): readonly Span[] {
  return changes.flatMap((change, index) => {
    const toMs = Math.min(endMs, changes[index + 1]?.atMs ?? endMs);
    return change.isUp === isUp && change.atMs < toMs ? [{ fromMs: change.atMs, toMs }] : [];
  });
}

/** Whether a moment lies in the span. */
export function contains({ fromMs, toMs }: Span, ms: number): boolean {
  return fromMs <= ms && ms < toMs;
}

/** Spans without what lies before a moment. */
export function after(spans: readonly Span[], ms: number): readonly Span[] {
  return spans.flatMap((s) => (s.toMs <= ms ? [] : [{ fromMs: Math.max(s.fromMs, ms), toMs: s.toMs }]));
}

/** Sum of their lengths, ms. */
export function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

/** Spans in order, with those joined between which `isGap` says that nothing was. */
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
