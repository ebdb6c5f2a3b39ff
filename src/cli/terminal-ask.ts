import { createInterface } from 'node:readline/promises';
import { DrillError } from '../core/errors.ts';

/** Asks a question on the terminal; undefined where there is none. @throws DrillError `refused` where the terminal is closed instead (Ctrl-C, Ctrl-D) */
export type Ask = ((question: string) => Promise<string>) | undefined;

/** Asks on this process's terminal; undefined without one. */
export function terminalAsk(): Ask {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  /** Lines that came with an answer, pasted or typed ahead: answers to what is asked next. */
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
      closed.reject(new DrillError('refused', 'no answer', { mend: 'Nothing was touched.' }));
    });
    // Closing after an answer rejects it, too.
    closed.promise.catch(() => {});
    try {
      return await Promise.race([terminal.question(question), closed.promise]);
    } finally {
      terminal.close();
    }
  };
}
