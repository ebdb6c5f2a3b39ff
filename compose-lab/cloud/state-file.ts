import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

/** Storage that survives a restart. */
export interface Store {
  /** The last saved value; undefined the first time. */
  load(): unknown;
  /** Saves a value. After a power cut, `load` returns the new or the previous value. */
  save(value: unknown): void;
}

/** A JSON file that is replaced atomically. */
export function stateFile(path: string): Store {
  return {
    load() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      return JSON.parse(text) as unknown;
    },
    save(value) {
      const partial = `${path}.partial`;
      const file = openSync(partial, 'w', 0o600);
      try {
        const bytes = Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(partial, path);
    },
  };
}
