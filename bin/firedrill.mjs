#!/usr/bin/env node
// The command `firedrill`. Node 24 runs the TypeScript sources without a build. An older Node starts the Node 24 that `npm ci`
// installed in node_modules, and waits for it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const neededNode = 24;

if (Number(process.versions.node.split('.')[0]) >= neededNode) {
  // The compiled code is kept between runs. Without it, each thread loads the compiler that strips the types (20 MB).
  module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/firedrill', import.meta.url)));
  const { main } = await import('../src/cli/main.ts');
  const { endProcess } = await import('../src/cli/end-process.ts');
  endProcess(await main(process.argv.slice(2)));
} else {
  const pinned = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
  if (!existsSync(pinned)) {
    console.error(
      `cannot start firedrill: it needs Node ${neededNode}, this is Node ${process.versions.node}, and ${pinned} does not exist`,
    );
    console.error(
      `hint: run \`npm ci\` in the checkout (on Linux, it installs Node ${neededNode}), or install Node ${neededNode}`,
    );
    process.exit(2);
  }
  // The channel closes when this process ends, even by SIGKILL. The child then heals and ends (src/cli/stop.ts).
  const child = spawn(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // A terminal sends a signal to the whole process group, other programs only to this process. The child gets it in both cases,
  // and ends after it has healed.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}
