/** Where a command writes: data on stdout, progress on stderr. */
export interface Output {
  data(text: string): void;
  progress(line: string): void;
}

/** The process's own streams. */
export const processOutput: Output = {
  data: (text) => {
    process.stdout.write(text);
  },
  progress: (line) => {
    process.stderr.write(`${line}\n`);
  },
};
