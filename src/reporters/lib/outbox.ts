import { DrillError } from '../../core/errors.ts';
import type { FinishedDrill, Reporter } from '../reporter.ts';
import { deliver, type DeliveryLimits, limits, type Post, Undelivered } from './deliver.ts';

/**
 * A reporter that sends the requests of each drill in order when the drill ends. A request that may succeed later waits for
 * the end of the next drill. Undelivered requests are reported when the command ends.
 */
export function outbox(
  postsOf: (drill: FinishedDrill) => readonly Post[],
  signal: AbortSignal,
  { wholeMs, pauseMs }: DeliveryLimits = limits,
): Required<Pick<Reporter, 'drillEnded' | 'runEnded'>> {
  const waiting: { readonly runId: string; readonly post: Post }[] = [];
  const missed = new Set<string>();
  let first: unknown;
  return {
    async drillEnded(drill) {
      const { runId } = drill.summary;
      waiting.push(...postsOf(drill).map((post) => ({ runId, post })));
      const endMs = performance.now() + wholeMs;
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        const leftMs = endMs - performance.now();
        if (leftMs <= 0) return;
        try {
          await deliver(next.post, signal, { wholeMs: leftMs, pauseMs });
        } catch (error) {
          first ??= error;
          if (error instanceof Undelivered && error.mayPass) return;
          missed.add(next.runId);
        }
        waiting.shift();
      }
    },
    runEnded({ drills }) {
      for (const { runId } of waiting) missed.add(runId);
      if (missed.size === 0) return;
      const message = first instanceof Error ? first.message : 'not delivered in time';
      throw new DrillError(
        'host-unreachable',
        `${missed.size} of ${drills.length} drills not delivered: ${message}`,
      );
    },
  };
}
