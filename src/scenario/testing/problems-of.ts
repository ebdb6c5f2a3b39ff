import { InvalidInput } from '../source.ts';

/** For tests: the problems that a file is refused for, a line each; none where it is taken. */
export function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidInput) return error.message.split('\n');
    throw error;
  }
  return [];
}
