// `npm run drill` and `npm test` from a fresh clone: installs the dependencies with the pinned Node 24, then runs the task. Plain
// JavaScript for Node 18 or later, because it runs before the dependencies are installed.
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
import { signaturesResult } from './lib/signatures.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const neededNode = 24;

/** Ends the run with an error message. */
class Stop extends Error {}

/** Requirements of test projects: why they are not met (`whyNot`), and the hint (`need`). */
const needy = {
  pages: {
    whyNot: () => whyNone('Chromium', ['chromium', 'chromium-browser', 'google-chrome']),
    need: 'hint: install Chromium, or run as root on Debian or Ubuntu: the tests then install it.',
  },
  shells: {
    whyNot: () => whyNotAll(['bash', 'dash', 'zsh', 'fish', 'tcsh', 'busybox', 'sudo', 'ssh', 'shellcheck']),
    need: 'hint: install bash, dash, zsh, fish, tcsh, busybox, sudo, ssh, and shellcheck, or run as root on Debian or Ubuntu: the tests then install them.',
  },
  terminal: {
    whyNot: () => whyNotAll(['tmux']),
    need: 'hint: install tmux, or run as root on Debian or Ubuntu: the tests then install it.',
  },
  reporters: {
    whyNot: whyNoReaders,
    need: 'hint: run the tests on Debian with python3; they unpack Debian packages without installing them.',
  },
  ...Object.fromEntries(
    ['package', 'package-all'].map((project) => [
      project,
      {
        whyNot: whyNoRegistry,
        need: 'hint: run the tests where npm reaches a registry; they install the package with its dependencies.',
      },
    ]),
  ),
  ...Object.fromEntries(
    ['lab', 'lab-all', 'packets', 'storm', 'docs-lab', 'openstack', 'image'].map((project) => [
      project,
      {
        whyNot: whyNoEngine,
        need: 'hint: give this user access to a Docker engine, or run as root on Debian or Ubuntu: the tests then install one.',
      },
    ]),
  ),
  'disk-full': {
    whyNot: () => (process.getuid?.() === 0 ? undefined : 'this user is not root.'),
    need: 'hint: run the tests as root; they mount small disks.',
  },
  collector: {
    whyNot: () => whyNothingInstalls('OpenTelemetry Collector'),
    need: 'hint: run the tests as root on Debian; they build the collector from Debian sources.',
  },
};

/** Parts of the tests, which run one after another. The vitest projects of a part run in parallel. */
const shortParts = [
  {
    name: 'pure, unit, pages, shells, terminal, reporters',
    projects: ['pure', 'unit', 'pages', 'shells', 'terminal', 'reporters'],
  },
  { name: 'package', projects: ['package'] },
  { name: 'lab', projects: ['lab'] },
];
const longParts = [
  shortParts[0],
  ...[
    'package-all',
    'lab-all',
    'fuzz',
    'truth',
    'disk-full',
    'packets',
    'storm',
    'docs-lab',
    'openstack',
    'collector',
    'image',
  ].map((name) => ({
    name,
    projects: [name],
  })),
];

/** Number of the slowest test files to print. */
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

/** Brings the lab up, and runs the main drill. */
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
    'npm test takes 8 to 10 min on a fast machine with two cores after the lab is built. On a slow machine it takes up to 15 min, or up to 25 min if other work uses one of the cores.\n',
  );
  return runParts(node, shortParts);
}

async function testAll(node) {
  console.log('npm run test:all takes about 3 h. It includes the tests of `npm test`.\n');
  const signatures = await auditSignatures();
  console.log(`npm audit signatures: ${signatures.state}: ${signatures.text}\n`);
  const code = await runParts(node, longParts);
  return signatures.state === 'failed' ? 1 : code;
}

/** Checks the registry's signatures of all dependencies. */
async function auditSignatures() {
  let output = '';
  const args = ['audit', 'signatures', '--fetch-retries=0', '--fetch-timeout=60000'];
  const code = await run('npm', args, { onOutput: (text) => (output += text) });
  return signaturesResult(code, output);
}

/**
 * Runs the static checks, then the parts. The first part has unit and integration tests, pages in a real browser, completion in
 * real shells, the live view on a terminal, and reporters with their readers. Tests on the real lab run alone on the machine.
 * Every part runs, also after a failed one. The last line counts all tests.
 */
async function runParts(node, requested) {
  const folder = mkdtempSync(join(tmpdir(), 'firedrill-test-'));
  // The tests append a line to this file for each drill that they repeat because the machine was too busy (test/starvation.ts).
  const starvedNote = join(folder, 'starved');
  process.env.FIREDRILL_STARVED_NOTE = starvedNote;
  try {
    const startedMs = performance.now();
    const check = await run('npm', ['run', '--silent', 'check']);
    const times = [{ name: 'static checks', ms: performance.now() - startedMs }];
    const leftOut = [];
    for (const project of requested.flatMap(({ projects }) => projects)) {
      const { whyNot, need } = needy[project] ?? { whyNot: () => undefined };
      const reason = await whyNot();
      if (reason === undefined) continue;
      leftOut.push(project);
      console.log(`\nThe ${project} tests are SKIPPED: ${reason}\n${need}`);
    }
    const parts = [];
    for (const { name, projects } of requested) {
      const here = projects.filter((project) => !leftOut.includes(project));
      if (here.length === 0) continue;
      const partMs = performance.now();
      parts.push(await runTests(node, folder, here));
      times.push({ name, ms: performance.now() - partMs });
    }
    printTimes(
      parts.flatMap(({ files }) => files),
      [...times, { name: 'all', ms: performance.now() - startedMs }],
    );
    printStarved(starvedNote);
    const passed = parts.reduce((sum, part) => sum + part.passed, 0);
    const failed = parts.reduce((sum, part) => sum + part.failed, 0);
    if (check !== 0) console.error('\nThe static checks (npm run check) failed; see above.');
    const isLacking = leftOut.length > 0 && isTrue(process.env.CI);
    if (leftOut.length > 0)
      console.log(`\nSKIPPED: ${leftOut.join(', ')}${isLacking ? '. With CI=true this is a failure.' : ''}`);
    console.log(`\n${passed} passed, ${failed} failed`);
    return check === 0 && parts.every((part) => part.ok) && failed === 0 && !isLacking ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints the slowest test files, and the time of each part. */
function printTimes(files, times) {
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

/** Prints what was repeated, if anything was. */
function printStarved(note) {
  if (!existsSync(note)) return;
  const lines = readFileSync(note, 'utf8').trimEnd().split('\n');
  console.log(
    `\nDrills and starts of a lab that were repeated because the machine was too busy: ${lines.length}`,
  );
  for (const line of lines) console.log(`  ${line}`);
}

/** Undefined if one of these programs is installed, or if the tests can install it. */
function whyNone(what, names) {
  return names.some(isOnPath) ? undefined : whyNothingInstalls(what);
}

/** Undefined if all these programs are installed, or if the tests can install them. */
function whyNotAll(names) {
  const missing = names.filter((name) => !isOnPath(name));
  return missing.length === 0 ? undefined : whyNothingInstalls(missing.join(', '));
}

/** Undefined if the readers of the reporters' files can be downloaded (test/reporters/lib/readers.ts). */
function whyNoReaders() {
  if (!existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')) return 'this is not Debian.';
  return isOnPath('python3') ? undefined : 'python3 is not installed.';
}

/** Undefined if npm can download a package, with the registry of this machine. */
async function whyNoRegistry() {
  const view = ['view', 'commander', 'version', '--fetch-retries=1', '--fetch-timeout=20000'];
  return (await run('npm', view, { quiet: true })) === 0 ? undefined : 'the npm registry does not answer.';
}

function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Why a missing program cannot be installed; undefined if it can. */
function whyNothingInstalls(what) {
  if (process.getuid?.() !== 0) return `${what}: not installed, and this user is not root.`;
  if (!existsSync('/usr/bin/apt-get')) return `${what}: not installed, and this is not Debian or Ubuntu.`;
  return undefined;
}

/** Undefined if an engine answers, or if `firedrill lab up` can install one. */
async function whyNoEngine() {
  if (process.platform !== 'linux') return `the lab needs Linux, this is ${process.platform}.`;
  if ((await run('docker', ['info'], { quiet: true })) === 0) return undefined;
  if (process.getuid() !== 0) return 'no Docker engine answers, and this user is not root.';
  if (!existsSync('/usr/bin/apt-get')) return 'no Docker engine answers, and this is not Debian or Ubuntu.';
  return undefined;
}

/** Runs Vitest projects in parallel, with the usual output. Counts and times come from a JSON report. */
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
  // A file with a failed set-up has no failed test. The exit code shows the failure, and the count must not be 0.
  const failed = code === 0 ? numFailedTests : Math.max(numFailedTests, 1);
  const files = testResults.map(({ name, startTime, endTime }) => ({
    name: relative(root, name),
    ms: endTime - startTime,
  }));
  return { passed: numPassedTests, failed, ok: code === 0, files };
}

/** Runs `npm ci` if node_modules is missing or belongs to another lock file. */
async function ensureDependencies() {
  const stamp = join(root, 'node_modules', '.firedrill-lock-sha256');
  const current = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === current) return;
  console.log('Installing dependencies (npm ci) ...');
  // Some dependencies require a newer Node than the one that runs npm. The newer Node is itself one of the dependencies.
  const code = await run('npm', [
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--engine-strict=false',
  ]);
  if (code !== 0) throw new Stop('cannot install the dependencies: `npm ci` failed (see above)');
  writeFileSync(stamp, `${current}\n`);
}

/** Links bin/firedrill.mjs, so that `npx firedrill` works here: npm only links the commands of dependencies. */
function ensureCommand() {
  const link = join(bin, 'firedrill');
  const target = '../../bin/firedrill.mjs';
  chmodSync(join(root, 'bin', 'firedrill.mjs'), 0o755);
  const present = lstatSync(link, { throwIfNoEntry: false });
  if (present?.isSymbolicLink() && readlinkSync(link) === target) return;
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

/** The Node binary of the dependencies; the running one if there is none for this system. */
function pinnedNode() {
  const pinned = join(bin, 'node');
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= neededNode) return process.execPath;
  throw new Stop(
    `firedrill needs Node ${neededNode}: this is Node ${process.versions.node}, and there is no packaged Node for ` +
      `${process.platform}-${process.arch}\nhint: install Node ${neededNode}, then try again`,
  );
}

/** Runs a command on this terminal, and returns its exit code. It forwards signals, so that the command heals before it ends. */
function run(command, args, { quiet = false, tied = false, onOutput } = {}) {
  const stdio = quiet ? 'ignore' : onOutput === undefined ? 'inherit' : 'pipe';
  const options = {
    cwd: root,
    // `tied`: firedrill has a channel to this process. If this process dies, firedrill heals and ends (src/cli/stop.ts).
    stdio: tied ? [stdio, stdio, stdio, 'ipc'] : stdio,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    if (onOutput !== undefined)
      for (const stream of [child.stdout, child.stderr]) stream.on('data', onOutput);
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
