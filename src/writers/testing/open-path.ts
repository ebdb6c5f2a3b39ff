import { readFile } from 'node:fs/promises';
import { ProbeTimeout } from '../../core/probe.ts';
import { runMs, wallMs } from '../../core/time.ts';
import type { WriterKind, WriterPath } from '../../core/writer.ts';
import { createNameResolver } from '../../resolver/name-resolver.ts';

/** For tests: opens a path with these fields, as the engine does after the planner. Its store is `firedrill_test`. */
export async function openPath<P>(kind: WriterKind<P>, fields: unknown): Promise<WriterPath> {
  return kind.open(kind.params.parse(fields), {
    store: 'firedrill_test',
    clock: {
      nowMs: () => runMs(performance.now()),
      wallMs: () => wallMs(Date.now()),
      sleep: async () => {
        throw new Error('no writer sleeps');
      },
    },
    readText: (path) => readFile(path, 'utf8'),
    env: (name) => process.env[name],
    resolveName: createNameResolver(),
  });
}

/** For tests: a signal that aborts as the engine's signals do. By default only a hang lasts that long. */
export function timeOut(timeoutMs = 5000): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new ProbeTimeout(timeoutMs)), timeoutMs).unref();
  return controller.signal;
}
