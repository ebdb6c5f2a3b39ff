import { defineConfig } from 'vitest/config';

/** Longest time for a test whose machine is slow and has other work, ms: what takes longer hangs. */
const hangMs = 300_000;

/** Folders whose tests touch nothing of their process: they share one, which takes a third of the CPU time. */
const pureFolders = ['analysis', 'core', 'faults', 'model', 'report', 'scenario'];

export default defineConfig({
  test: {
    // Most tests wait for what they have started: each processor has something to do.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'pure',
          include: pureFolders.map((folder) => `src/${folder}/**/*.test.ts`),
          isolate: false,
          testTimeout: hangMs,
        },
      },
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'bench/**/*.test.ts',
            'test/unit/**/*.test.ts',
            'test/contract/lab-cloud.test.ts',
            'test/packets/lib/**/*.test.ts',
            'test/starvation/lib/**/*.test.ts',
            'test/truth/lib/**/*.test.ts',
          ],
          exclude: pureFolders.map((folder) => `src/${folder}/**`),
          setupFiles: ['test/compile-cache.ts'],
          // For what hangs: no test is to fail because the machine is slow.
          testTimeout: hangMs,
          hookTimeout: hangMs,
          expect: { poll: { timeout: hangMs / 2 } },
        },
      },
      {
        // report.html and table.html in a real browser.
        test: {
          name: 'pages',
          include: ['test/pages/*.test.ts'],
          globalSetup: ['test/pages/lib/chromium.ts'],
          testTimeout: hangMs,
          hookTimeout: hangMs,
        },
      },
      {
        // Completion in real shells, init on a terminal, the commands of the CI by ShellCheck, and transports to real shells.
        test: {
          name: 'shells',
          include: ['test/shells/*.test.ts'],
          globalSetup: ['test/shells/lib/shells.ts'],
          testTimeout: hangMs,
          hookTimeout: hangMs,
        },
      },
      {
        // The live view on a real terminal, with drills that need no lab.
        test: {
          name: 'terminal',
          include: ['test/terminal/*.test.ts'],
          globalSetup: ['test/terminal/lib/tmux.ts'],
          // Each test has a drill: more at a time would starve each other's probers on a small machine.
          maxConcurrency: 2,
          testTimeout: hangMs,
          hookTimeout: hangMs,
        },
      },
      {
        // What reporters write, read by those who read it.
        test: {
          name: 'reporters',
          include: ['test/reporters/*.test.ts'],
          globalSetup: ['test/reporters/lib/readers.ts'],
          testTimeout: hangMs,
          hookTimeout: hangMs,
        },
      },
      ...['package', 'package-all'].map((name) => ({
        // The package, as users install it; `package-all` also on each supported Node.
        test: {
          name,
          include: ['test/package/*.test.ts'],
          env: name === 'package-all' ? { FIREDRILL_TESTS: 'all' } : {},
          testTimeout: hangMs,
          hookTimeout: hangMs,
        },
      })),
      {
        // Slow, and not part of `npm test`: builds and runs a real Keystone and Nova.
        test: {
          name: 'openstack',
          include: ['test/contract/openstack.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 1_200_000,
        },
      },
      {
        // Slow, and not part of `npm test`: builds a real OpenTelemetry Collector.
        test: {
          name: 'collector',
          include: ['test/collector/*.test.ts'],
          globalSetup: ['test/collector/lib/collector.ts'],
        },
      },
      {
        // Slow, and not part of `npm test`: builds the container image, and runs drills from it.
        test: {
          name: 'image',
          include: ['test/image/*.test.ts'],
          globalSetup: ['test/image/lib/images.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          sequence: { concurrent: false },
        },
      },
      {
        // Slow, and not part of `npm test`: 30 drills in parallel with a packet capture.
        test: {
          name: 'packets',
          include: ['test/packets/*.test.ts'],
          globalSetup: ['test/lab/engine-and-images.ts'],
          testTimeout: 180_000,
          hookTimeout: 900_000,
          sequence: { concurrent: false },
        },
      },
      {
        // Slow, and not part of `npm test`: 100,000 malformed files.
        test: {
          name: 'fuzz',
          include: ['test/fuzz/*.test.ts'],
          testTimeout: 3_600_000,
        },
      },
      {
        // Slow, and not part of `npm test`: 20,000 simulated logs whose truth is known.
        test: {
          name: 'truth',
          include: ['test/truth/*.test.ts'],
          testTimeout: 7_200_000,
        },
      },
      {
        // Slow, and not part of `npm test`: the harness killed over 30 drills of the reference stacks.
        test: {
          name: 'storm',
          include: ['test/storm/*.test.ts'],
          globalSetup: ['test/lab/engine-and-images.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          sequence: { concurrent: false },
        },
      },
      {
        // Slow, and not part of `npm test`: drills on a machine that lacks CPU or disk on purpose.
        test: {
          name: 'starvation',
          include: ['test/starvation/*.test.ts'],
          globalSetup: ['test/lab/engine-and-images.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          sequence: { concurrent: false },
        },
      },
      {
        // Slow, and not part of `npm test`: hundreds of drills on small disks.
        test: {
          name: 'disk-full',
          include: ['test/disk-full/*.test.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Slow, and not part of `npm test`: the commands of the docs that want a lab, long ones on a row or two.
        test: {
          name: 'docs-lab',
          include: ['test/docs-lab/*.test.ts'],
          globalSetup: ['test/lab/engine-and-images.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 900_000,
          sequence: { concurrent: false },
        },
      },
      {
        // One drill of each reference stack, and each kind of fault once.
        test: {
          name: 'lab',
          include: ['certlocker', 'host-faults', 'keepalived-docker', 'wazuh-lb'].map(
            (folder) => `test/lab/${folder}/*.test.ts`,
          ),
          globalSetup: ['test/lab/engine-and-images.ts'],
          testTimeout: 1_200_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
      {
        // The same files with all of their tests, so that no stack is brought up twice, and more.
        test: {
          name: 'lab-all',
          include: ['test/lab/**/*.test.ts'],
          globalSetup: ['test/lab/engine-and-images.ts'],
          env: { FIREDRILL_TESTS: 'all' },
          testTimeout: 3_600_000,
          hookTimeout: 1_800_000,
          fileParallelism: false,
          sequence: { concurrent: false },
        },
      },
    ],
  },
});
