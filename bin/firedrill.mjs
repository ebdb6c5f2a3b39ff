#!/usr/bin/env node
// The command `firedrill`. The sources are TypeScript that Node 24 runs as they are; started by an older Node, this
// hands over to the pinned Node 24 that `npm ci` put beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const wanted = 24;

if (Number(process.versions.node.split('.')[0]) >= wanted) {
  // Kept between runs: compiled code, so that what strips the types need not be loaded (20 MB in each thread).
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/firedrill', import.meta.url)));
  const { main } = await import('../src/cli/main.ts');
  const { endProcess } = await import('../src/cli/end-process.ts');
  endProcess(await main(process.argv.slice(2)));
} else {
  const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  if (!existsSync(pinned)) {
    console.error(
      `firedrill needs Node ${wanted}; this is ${process.versions.node}, and there is no ${pinned}.`,
    );
    console.error('Run `npm ci` in the checkout (it brings Node 24 along on Linux), or use Node 24.');
    process.exit(2);
  }
  // The channel closes when this process is gone, even by SIGKILL: the child then heals and ends (src/cli/stop.ts).
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // The terminal signals the whole process group; others signal only this process. Either way the child decides when it
  // is done: it heals first.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}
