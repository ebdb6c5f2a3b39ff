import { redactor } from './secrets.ts';

/** Where a command writes: data on stdout, progress on stderr. */
export interface Output {
  data(text: string): void;
  progress(line: string): void;
}

/** The process's own streams; no secret gets there. */
export const processOutput: Output = {
  data: (text) => {
    process.stdout.write(redactor.text(text));
  },
  progress: (line) => {
    process.stderr.write(`${redactor.text(line)}\n`);
  },
};
