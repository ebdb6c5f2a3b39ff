// `npm run drill` and `npm test` from a fresh clone: sees to the dependencies and the pinned Node 24, then runs what was
// asked for. Plain JavaScript without dependencies, because it runs before there are any, on Node 18 or later.
//
//   node scripts/with-setup.mjs drill [arguments of `firedrill run`]
//   node scripts/with-setup.mjs test
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const neededNode = 24;

/** Ends the whole run with a message for people. */
class Stop extends Error {}

/** Tests that need something of the machine: what, whether it is there or can be got, and what to do about it. */
const needy = {
  pages: {
    whyNot: () => whyNone('Chromium', ['chromium', 'chromium-browser', 'google-chrome']),
    need: 'They need Chromium on the path, or root on Debian or Ubuntu to install it.',
  },
  shells: {
    whyNot: () => whyNotAll(['bash', 'zsh', 'fish', 'shellcheck']),
    need: 'They need bash, zsh, fish and shellcheck on the path, or root on Debian or Ubuntu to install them.',
  },
  terminal: {
    whyNot: () => whyNotAll(['tmux']),
    need: 'They need tmux on the path, or root on Debian or Ubuntu to install it.',
  },
  reporters: {
    whyNot: whyNoReaders,
    need: 'They need Debian, whose packages they unpack without installing them, and python3 on the path.',
  },
  lab: {
    whyNot: whyNoEngine,
    need: 'They need a Docker engine that this user may use, or root on Debian or Ubuntu to install one.',
  },
};

const [task, ...rest] = process.argv.slice(2);
const tasks = { drill, test, bench };
if (!Object.hasOwn(tasks, task ?? '')) {
  console.error('usage: node scripts/with-setup.mjs drill|test|bench [arguments]');
  process.exit(2);
}
try {
  await ensureDependencies();
  ensureCommand();
  process.exitCode = await tasks[task](pinnedNode(), rest);
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

/** Brings the lab up (whatever that takes) and drills the main case. */
async function drill(node, args) {
  const firedrill = join(root, 'bin', 'firedrill.mjs');
  const up = await run(node, [firedrill, 'lab', 'up', '--stack', 'certlocker']);
  if (up !== 0) return up;
  return run(node, [firedrill, 'run', 'scenarios/certlocker/postgres-crash.yaml', ...args]);
}

/** The benchmarks; see bench/main.ts. */
function bench(node, args) {
  return run(node, [join(root, 'bench', 'main.ts'), ...args]);
}

/**
 * Static checks; unit and integration tests, the pages in a real browser, completion in real shells, the live view on a
 * terminal, and what reporters write before its readers, side by side; then the tests on the real lab, with the machine to
 * themselves. Every part runs, whatever the one before it said; the last line counts all tests.
 */
async function test(node) {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-test-'));
  try {
    const check = await run('npm', ['run', '--silent', 'check']);
    const leftOut = [];
    for (const [project, { whyNot, need }] of Object.entries(needy)) {
      const reason = await whyNot();
      if (reason === undefined) continue;
      leftOut.push(project);
      console.log(`\nThe ${project} tests are LEFT OUT: ${reason}\n${need}`);
    }
    const beside = ['unit', 'pages', 'shells', 'terminal', 'reporters'].filter((p) => !leftOut.includes(p));
    const parts = [await runTests(node, folder, beside)];
    if (!leftOut.includes('lab')) parts.push(await runTests(node, folder, ['lab']));
    const passed = parts.reduce((sum, part) => sum + part.passed, 0);
    const failed = parts.reduce((sum, part) => sum + part.failed, 0);
    if (check !== 0) console.error('\nThe static checks (npm run check) failed; see above.');
    const isLacking = leftOut.length > 0 && isTrue(process.env.CI);
    if (leftOut.length > 0)
      console.log(`\nLEFT OUT: ${leftOut.join(', ')}${isLacking ? '. With CI=true that is a failure.' : ''}`);
    console.log(`\n${passed} passed, ${failed} failed`);
    return check === 0 && parts.every((part) => part.ok) && failed === 0 && !isLacking ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** undefined when one of these programs is there, or can be installed by the set-up of the tests. */
function whyNone(what, names) {
  return names.some(isOnPath) ? undefined : whyNothingInstalls(what);
}

/** undefined when all of these programs are there, or can be installed by the set-up of the tests. */
function whyNotAll(names) {
  const missing = names.filter((name) => !isOnPath(name));
  return missing.length === 0 ? undefined : whyNothingInstalls(missing.join(', '));
}

/** undefined when what reads reporters' files can be fetched (test/reporters/lib/readers.ts). */
function whyNoReaders() {
  if (!existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')) return 'this is not Debian.';
  return isOnPath('python3') ? undefined : 'there is no python3.';
}

function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Why what is not there cannot be installed; undefined when it can. */
function whyNothingInstalls(what) {
  if (process.getuid?.() !== 0) return `there is no ${what}, and without root none can be installed.`;
  if (!existsSync('/usr/bin/apt-get')) return `there is no ${what}, and this is not Debian or Ubuntu.`;
  return undefined;
}

/** undefined when `firedrill lab up` can be expected to get an engine. */
async function whyNoEngine() {
  if (process.platform !== 'linux') return `the lab needs Linux, this is ${process.platform}.`;
  if ((await run('docker', ['info'], { quiet: true })) === 0) return undefined;
  if (process.getuid() !== 0)
    return 'no Docker engine answers to this user, and without root none can be installed.';
  if (!existsSync('/usr/bin/apt-get')) return 'no Docker engine answers, and this is not Debian or Ubuntu.';
  return undefined;
}

/** Vitest projects beside each other, shown as usual and counted from a JSON report. */
async function runTests(node, folder, projects) {
  const report = join(folder, `${projects[0]}.json`);
  const code = await run(node, [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  if (!existsSync(report)) return { passed: 0, failed: 0, ok: false };
  const counts = JSON.parse(readFileSync(report, 'utf8'));
  // A file whose set-up fails has no test that failed, but the count must not look as if all was well: `code` says so.
  const failed = code === 0 ? counts.numFailedTests : Math.max(counts.numFailedTests, 1);
  return { passed: counts.numPassedTests, failed, ok: code === 0 };
}

/** `npm ci` when there is no node_modules, or when it was made from another lock file. */
async function ensureDependencies() {
  const stamp = join(root, 'node_modules', '.firedrill-lock-sha256');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === wanted) return;
  console.log('Installing dependencies (npm ci) ...');
  // Some of them say that they want a newer Node than the one that runs npm here; they get it, since it is one of them.
  const code = await run('npm', [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--engine-strict=false',
  ]);
  if (code !== 0) throw new Stop('`npm ci` failed; see above.');
  writeFileSync(stamp, `${wanted}\n`);
}

/** npm links the commands of dependencies, not those of the package itself: so that `npx firedrill` works here. */
function ensureCommand() {
  const link = join(bin, 'firedrill');
  const target = '../../bin/firedrill.mjs';
  chmodSync(join(root, 'bin', 'firedrill.mjs'), 0o755);
  const present = lstatSync(link, { throwIfNoEntry: false });
  if (present?.isSymbolicLink() && readlinkSync(link) === target) return;
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

/** The Node binary that came with the dependencies; the running one where there is none for this system. */
function pinnedNode() {
  const pinned = join(bin, 'node');
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= neededNode) return process.execPath;
  throw new Stop(
    `firedrill needs Node ${neededNode}. There is no packaged one for ${process.platform}-${process.arch}, and this is ` +
      `Node ${process.versions.node}: install Node ${neededNode} and try again.`,
  );
}

/** Runs a command on this terminal; returns its exit code. Signals are passed on: the command heals before it ends. */
function run(command, args, { quiet = false } = {}) {
  const options = {
    cwd: root,
    stdio: quiet ? 'ignore' : 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    const pass = (name) => child.kill(name);
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const name of names) process.on(name, pass);
    const finish = (code) => {
      for (const name of names) process.off(name, pass);
      resolve(code);
    };
    child.on('error', (error) => {
      if (!quiet) console.error(`${command}: ${error.message}`);
      finish(127);
    });
    child.on('exit', (code, signal) => finish(code ?? 128 + constants.signals[signal]));
  });
}

function isTrue(value) {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
