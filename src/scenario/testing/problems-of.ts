import { InvalidInput } from '../source.ts';

/** For tests: the problems of the InvalidInput that an action throws, one per line. Empty if it throws none. */
export function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidInput) return error.message.split('\n');
    throw error;
  }
  return [];
}
