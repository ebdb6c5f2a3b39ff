import type { ProbeSession } from '../../core/probe.ts';
import type { Observation } from '../../core/sample.ts';
import type { DockerEngine, EngineAnswer } from './docker-engine.ts';

/** What a sample asks the engine. */
export interface EngineQuestion {
  /** Path of a GET of Docker's API. */
  readonly path: string;
  /** The observation that follows from an answer; undefined where only a command can tell. */
  judge(answer: EngineAnswer, signal: AbortSignal): Promise<Observation | undefined>;
  /** The observation of a sample that ended before the engine answered. */
  ended(signal: AbortSignal): Observation;
}

/** A host whose connection never worked so often has none: its Docker is too old, or none. */
const mostFailures = 3;

/**
 * Asks over the engine's kept connection. If that breaks, a command asks in the same sample: it distinguishes an engine that is
 * gone from a host that is unreachable. The connection is tried again once a command was answered.
 */
export function engineSession(
  question: EngineQuestion,
  engine: DockerEngine,
  byCommand: ProbeSession,
): ProbeSession {
  let worked = false;
  let failures = 0;
  let isOpen = true;
  const ask = async (signal: AbortSignal): Promise<EngineAnswer | undefined> => {
    try {
      const answer = await engine.get(question.path, signal);
      worked = true;
      return answer;
    } catch {
      failures += 1;
      return undefined;
    }
  };
  return {
    isBusy: () => engine.isBusy(),
    observe: async (signal) => {
      if (isOpen) {
        const answer = await ask(signal);
        if (answer === undefined && signal.aborted) return question.ended(signal);
        const seen = answer === undefined ? undefined : await question.judge(answer, signal);
        if (seen !== undefined) return seen;
      }
      const seen = await byCommand.observe(signal);
      const isAnswered = seen.status === 'ok' || (seen.status === 'fail' && seen.cause === 'bad-state');
      isOpen = isAnswered && (worked || failures < mostFailures);
      return seen;
    },
    close: async () => engine.close(),
  };
}
