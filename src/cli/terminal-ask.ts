import { createInterface } from 'node:readline/promises';
import { DrillError } from '../core/errors.ts';

/** Asks a question on the terminal; undefined without a terminal. @throws DrillError `refused` if the input is closed (Ctrl-C, Ctrl-D) */
export type Ask = ((question: string) => Promise<string>) | undefined;

/** Asks on this process's terminal; undefined without one. */
export function terminalAsk(): Ask {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  /** Lines that were pasted or typed ahead. They answer the next questions. */
  const ahead: string[] = [];
  return async (question) => {
    const known = ahead.shift();
    if (known !== undefined) {
      process.stderr.write(`${question}${known}\n`);
      return known;
    }
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    terminal.on('line', (line) => ahead.push(line));
    const closed = Promise.withResolvers<never>();
    terminal.once('close', () => {
      closed.reject(
        new DrillError('refused', 'the question got no answer: the input was closed', {
          hint: 'Nothing was changed. Run the command again.',
        }),
      );
    });
    // A close after the answer rejects this promise, too.
    closed.promise.catch(() => {});
    try {
      return await Promise.race([terminal.question(question), closed.promise]);
    } finally {
      terminal.close();
    }
  };
}
