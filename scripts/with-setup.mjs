// `npm run drill` and `npm test` from a fresh clone: sees to the dependencies and the pinned Node 24, then runs what was
// asked for. Plain JavaScript without dependencies, because it runs before there are any, on Node 18 or later.
//
//   node scripts/with-setup.mjs drill [arguments of `firedrill run`]
//   node scripts/with-setup.mjs test
//   node scripts/with-setup.mjs test-all
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
import { delimiter, join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
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
    whyNot: () => whyNotAll(['bash', 'dash', 'zsh', 'fish', 'tcsh', 'busybox', 'sudo', 'ssh', 'shellcheck']),
    need: 'They need bash, dash, zsh, fish, tcsh, busybox, sudo, ssh and shellcheck on the path, or root on Debian or Ubuntu to install them.',
  },
  terminal: {
    whyNot: () => whyNotAll(['tmux']),
    need: 'They need tmux on the path, or root on Debian or Ubuntu to install it.',
  },
  reporters: {
    whyNot: whyNoReaders,
    need: 'They need Debian, whose packages they unpack without installing them, and python3 on the path.',
  },
  ...Object.fromEntries(
    ['lab', 'lab-all', 'packets', 'storm', 'docs-lab', 'openstack'].map((project) => [
      project,
      {
        whyNot: whyNoEngine,
        need: 'They need a Docker engine that this user may use, or root on Debian or Ubuntu to install one.',
      },
    ]),
  ),
  'disk-full': {
    whyNot: () => (process.getuid?.() === 0 ? undefined : 'this user is not root.'),
    need: 'They mount small disks.',
  },
  collector: {
    whyNot: () => whyNothingInstalls('OpenTelemetry Collector'),
    need: 'They build one from the sources of Debian.',
  },
};

/** Parts of the tests, one after the other: vitest projects that are run side by side. */
const shortParts = [
  {
    name: 'pure, unit, pages, shells, terminal, reporters',
    projects: ['pure', 'unit', 'pages', 'shells', 'terminal', 'reporters'],
  },
  { name: 'lab', projects: ['lab'] },
];
const longParts = [
  shortParts[0],
  ...['lab-all', 'fuzz', 'truth', 'disk-full', 'packets', 'storm', 'docs-lab', 'openstack', 'collector'].map(
    (name) => ({
      name,
      projects: [name],
    }),
  ),
];

/** Test files that are shown with their times. */
const slowestShown = 10;

const [task, ...rest] = process.argv.slice(2);
const tasks = { drill, test, 'test-all': testAll, bench };
if (!Object.hasOwn(tasks, task ?? '')) {
  console.error('usage: node scripts/with-setup.mjs drill|test|test-all|bench [arguments]');
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
  const up = await run(node, [firedrill, 'lab', 'up', '--stack', 'certlocker'], { tied: true });
  if (up !== 0) return up;
  const drill = [firedrill, 'run', 'scenarios/certlocker/postgres-crash.yaml', ...args];
  return run(node, drill, { tied: true });
}

/** The benchmarks; see bench/main.ts. */
function bench(node, args) {
  return run(node, [join(root, 'bench', 'main.ts'), ...args]);
}

function test(node) {
  console.log(
    'npm test takes 8 to 10 minutes on a quick machine with two cores once the lab has been built. On a slow one it must not take more than 15, or 25 where other work takes up one of the cores.\n',
  );
  return runParts(node, shortParts);
}

function testAll(node) {
  console.log('npm run test:all takes about three hours. It has all that `npm test` has.\n');
  return runParts(node, longParts);
}

/**
 * Static checks; then the parts: in the first one unit and integration tests, the pages in a real browser, completion in real
 * shells, the live view on a terminal, and what reporters write before its readers, side by side; those on the real lab have the
 * machine to themselves. Every part runs, whatever the one before it said; the last line counts all tests.
 */
async function runParts(node, wanted) {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-test-'));
  // The tests note in here each drill that they ran once more because the machine was too busy for it (test/starvation.ts).
  const starvedNote = join(folder, 'starved');
  process.env.FIREDRILL_STARVED_NOTE = starvedNote;
  try {
    const startedMs = performance.now();
    const check = await run('npm', ['run', '--silent', 'check']);
    const times = [{ name: 'static checks', ms: performance.now() - startedMs }];
    const leftOut = [];
    for (const project of wanted.flatMap(({ projects }) => projects)) {
      const { whyNot, need } = needy[project] ?? { whyNot: () => undefined };
      const reason = await whyNot();
      if (reason === undefined) continue;
      leftOut.push(project);
      console.log(`\nThe ${project} tests are LEFT OUT: ${reason}\n${need}`);
    }
    const parts = [];
    for (const { name, projects } of wanted) {
      const here = projects.filter((project) => !leftOut.includes(project));
      if (here.length === 0) continue;
      const partMs = performance.now();
      parts.push(await runTests(node, folder, here));
      times.push({ name, ms: performance.now() - partMs });
    }
    tellTimes(
      parts.flatMap(({ files }) => files),
      [...times, { name: 'all', ms: performance.now() - startedMs }],
    );
    tellStarved(starvedNote);
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

/** What took how long: the slowest files of all parts, and each part. */
function tellTimes(files, times) {
  const slowest = [...files].sort((a, b) => b.ms - a.ms).slice(0, slowestShown);
  console.log(`\nThe slowest of ${files.length} test files:`);
  for (const { name, ms } of slowest) console.log(timeLine(name, ms));
  console.log('\nTime of each part:');
  for (const { name, ms } of times) console.log(timeLine(name, ms));
}

function timeLine(name, ms) {
  const seconds = Math.round(ms / 1000);
  const minutes = seconds < 60 ? '' : `${Math.floor(seconds / 60)} min `;
  return `${`${minutes}${String(seconds % 60).padStart(2)} s`.padStart(12)}  ${name}`;
}

/** Drills that were run once more: of none nothing is said. */
function tellStarved(note) {
  if (!existsSync(note)) return;
  const lines = readFileSync(note, 'utf8').trimEnd().split('\n');
  console.log(`\nDrills that were run once more, because the machine was too busy for them: ${lines.length}`);
  for (const line of lines) console.log(`  ${line}`);
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

/** Vitest projects in parallel, shown as usual; counted and timed from a JSON report. */
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
  if (!existsSync(report)) return { passed: 0, failed: 0, ok: false, files: [] };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  // A file whose set-up fails has no test that failed, but the count must not look as if all was well: `code` says so.
  const failed = code === 0 ? numFailedTests : Math.max(numFailedTests, 1);
  const files = testResults.map(({ name, startTime, endTime }) => ({
    name: relative(root, name),
    ms: endTime - startTime,
  }));
  return { passed: numPassedTests, failed, ok: code === 0, files };
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
function run(command, args, { quiet = false, tied = false } = {}) {
  const stdio = quiet ? 'ignore' : 'inherit';
  const options = {
    cwd: root,
    // `tied`: firedrill has a channel to this process, and heals and ends when this process is gone (src/cli/stop.ts).
    stdio: tied ? [stdio, stdio, stdio, 'ipc'] : stdio,
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
