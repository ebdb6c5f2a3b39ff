#!/usr/bin/env node
// The command `firedrill`. The installed package has compiled JavaScript in `dist`. A checkout has the TypeScript sources in `src`
// and needs no build: Node 24 runs them. An older Node starts the Node 24 that `npm ci` installed in node_modules, and waits for it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants, homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Node that runs TypeScript sources, and the one that runs the package (`engines` in package.json). */
const nodeOfCheckout = 24;
const nodeOfPackage = '22.18';

const root = fileURLToPath(new URL('..', import.meta.url));
const isCheckout = existsSync(join(root, 'src', 'cli', 'main.ts'));
const [nodeMajor, nodeMinor] = process.versions.node.split('.').map(Number);
const [neededMajor, neededMinor] = nodeOfPackage.split('.').map(Number);
const isTooOld = nodeMajor < neededMajor || (nodeMajor === neededMajor && nodeMinor < neededMinor);

// Both have parts of Node only, and claim to be a version of it.
const otherRuntime =
  process.versions.bun !== undefined ? 'Bun' : process.versions.deno !== undefined ? 'Deno' : undefined;

if (otherRuntime !== undefined) {
  fail(`it needs Node, this is ${otherRuntime}`, 'install Node, and start firedrill with npx');
} else if (!isCheckout && isTooOld) {
  fail(
    `it needs Node ${nodeOfPackage} or later, this is Node ${process.versions.node}`,
    `install Node ${nodeOfPackage} or later`,
  );
} else if (!isCheckout) {
  // Stack traces then show lines of the sources.
  process.setSourceMapsEnabled(true);
  await start((name) => `../dist/${name}.js`, cacheFolder());
} else if (nodeMajor >= nodeOfCheckout) {
  await start(sourceFile, join(root, 'node_modules', '.cache', 'firedrill'));
} else {
  startPinned();
}

/** Runs the command line. The compiled code is kept between runs, which more than halves the time of a start. */
async function start(fileOf, cache) {
  const args = process.argv.slice(2);
  // Without the rest of the code, which takes ten times as long to load.
  if (args.length === 1 && ['--version', '-V'].includes(args[0])) {
    console.log(await load(fileOf('installation'), 'packageVersion'));
    return;
  }
  if (cache !== undefined) module.enableCompileCache(cache);
  const main = await load(fileOf('main'), 'main');
  const endProcess = await load(fileOf('end-process'), 'endProcess');
  endProcess(await main(args));
}

/** An export of a file. Without this, a damaged installation would end with 1, the exit code of a failed drill. */
async function load(file, name) {
  try {
    const { [name]: value } = await import(file);
    if (value === undefined) throw new Error(`${file} does not export ${name}`);
    return value;
  } catch (error) {
    console.error(error);
    return fail(
      'its code or a dependency cannot be loaded',
      isCheckout ? 'run `npm ci` in the checkout' : 'install firedrill again',
    );
  }
}

/** The source of one of the files in `dist` that this file needs. */
function sourceFile(name) {
  return name === 'installation' ? '../src/installation.ts' : `../src/cli/${name}.ts`;
}

/** The cache folder of the XDG base directory specification, which ignores relative paths; undefined if there is no home folder. */
function cacheFolder() {
  const xdg = process.env.XDG_CACHE_HOME ?? '';
  if (isAbsolute(xdg)) return join(xdg, 'firedrill');
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'firedrill') : undefined;
  } catch {
    // Without HOME, and without an entry in passwd(5).
    return undefined;
  }
}

function startPinned() {
  const pinned = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(pinned)) {
    fail(
      `the checkout needs Node ${nodeOfCheckout}, this is Node ${process.versions.node}, and ${pinned} does not exist`,
      `run \`npm ci\` in the checkout (on Linux, it installs Node ${nodeOfCheckout}), or install Node ${nodeOfCheckout}`,
    );
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

function fail(why, hint) {
  console.error(`cannot start firedrill: ${why}`);
  console.error(`hint: ${hint}`);
  process.exit(2);
}
