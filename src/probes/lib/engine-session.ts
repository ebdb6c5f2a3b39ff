import type { ProbeSession } from '../../core/probe.ts';
import type { Observation } from '../../core/sample.ts';
import type { DockerEngine, EngineAnswer } from './docker-engine.ts';

/** The question that a sample asks the engine. */
export interface EngineQuestion {
  /** Path of a GET of Docker's API. */
  readonly path: string;
  /** The observation for an answer. Undefined if only a command can decide it. */
  judge(answer: EngineAnswer, signal: AbortSignal): Promise<Observation | undefined>;
  /** The observation of a sample that ended before the engine answered. */
  ended(signal: AbortSignal): Observation;
}

/**
 * After this many failures without a success, the connection is not tried again: Docker is missing or too
 * old.
 */
const mostFailures = 3;

/**
 * Asks over the engine's kept connection. If that breaks, a command asks in the same sample, because it
 * distinguishes a stopped engine from an unreachable host. After a command got an answer, the connection is
 * tried again.
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
