import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { createSmallDrill, type SmallDrill } from './lib/small-drill.ts';
import { openPane, type Pane } from './lib/tmux.ts';

const root = join(import.meta.dirname, '../..');
const firedrill = join(root, 'bin/firedrill.mjs');

/** One drill and its terminal. */
interface Stage {
  readonly drill: SmallDrill;
  readonly runArgs: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly start: (columns: number, rows: number, ...more: string[]) => Promise<Pane>;
}

/** Sets a drill up for a test and cleans up afterwards. The drills run in parallel, because each waits most of the time. */
function onStage(act: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const drill = await createSmallDrill();
    const panes: Pane[] = [];
    const runArgs = ['run', drill.scenario, '--out', join(drill.folder, 'runs')];
    const env = {
      CI: undefined,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      LC_ALL: 'C.UTF-8',
      FIREDRILL_STATE_DIR: join(drill.folder, 'state'),
    };
    try {
      await act({
        drill,
        runArgs,
        env,
        async start(columns, rows, ...more) {
          const pane = await openPane([process.execPath, firedrill, ...runArgs, ...more], {
            columns,
            rows,
            env,
            cwd: root,
          });
          panes.push(pane);
          return pane;
        },
      });
    } finally {
      for (const pane of panes) await pane.close();
      drill.remove();
    }
  };
}

/** Polls the screen until it matches, and returns it. */
async function until(requested: (screen: string) => boolean, open: Pane): Promise<string> {
  return vi.waitFor(
    async () => {
      const screen = (await open.screen()).join('\n');
      if (!requested(screen)) throw new Error(`wait for the screen: it does not match:\n${screen}`);
      return screen;
    },
    { timeout: 240_000, interval: 200 },
  );
}

const ended = (open: Pane): Promise<number> =>
  vi.waitFor(
    () => {
      const code = open.exitCode();
      if (code === undefined) throw new Error('wait for the command: it still runs');
      return code;
    },
    { timeout: 240_000, interval: 250 },
  );

/** Exit codes of a pass, and of an inconclusive drill on a machine under load. */
const verdictCodes = [0, 3];

/** Matches the live block only: spinners, bars, and the label column. */
const ofBlock = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏▁▂▅]|^ {2}(steps|wait|outage|prober|owner|roles) /m;

const expectShown = (columns: number, rows: number): Promise<void> =>
  onStage(async ({ start }) => {
    const open = await start(columns, rows);
    const down = await until((screen) => /outage +DOWN (?:[2-9]|\d\d)/.test(screen), open);
    expect(down).toMatch(/web: (reset|timeout)/);
    expect(down).toMatch(/heals in \d/);
    expect(down).toMatch(/recovery: \d+\.\d s left/);
    expect(down).toMatch(/address beta/);
    expect(down).toMatch(/active alpha → beta/);
    expect(down).toMatch(/web .*x{4}/);
    // Permanent lines are above the block, and only the last frame is on the screen.
    expect(down).toMatch(/\+\d+\.\d{3} s {2}.*\n/);
    expect(down.match(/pull-the-plug on/g)).toHaveLength(1);
    // oxlint-disable-next-line no-control-regex
    expect(await open.painted()).toMatch(/\u001B\[31m\S*DOWN/);
    expect(await open.title()).not.toContain('pwned');

    expect(verdictCodes).toContain(await ended(open));
    const left = (await open.everything()).join('\n');
    expect(left).not.toMatch(ofBlock);
    expect(left).toMatch(
      /\n +\+\d.*redundancy: reached\n(?:.+\n)*\n(PASS|INCONCLUSIVE) {2}The plug is pulled/,
    );
    expect(left).toContain('  plug: healed, proven\n');
    expect(left).toContain(String.raw`hostile@alpha: ok \u001b[2J`);
    expect(await open.cursorIsShown()).toBe(true);
  })();

test.concurrent('shows a drill on 40 columns, and leaves its lines and the verdict', () =>
  expectShown(40, 30),
);
test.concurrent('shows a drill on 80 columns, and leaves its lines and the verdict', () =>
  expectShown(80, 24),
);
test.concurrent('shows a drill on 200 columns, and leaves its lines and the verdict', () =>
  expectShown(200, 50),
);

test.concurrent(
  'heals and restores the terminal when it is interrupted',
  onStage(async ({ drill, start }) => {
    const open = await start(80, 24);
    await until((screen) => screen.includes('outage   DOWN'), open);
    await open.keys('C-c');
    expect(await ended(open)).toBe(130);
    expect(drill.isDown()).toBe(false);
    const left = (await open.everything()).join('\n');
    expect(left).not.toMatch(ofBlock);
    expect(left).toContain('SIGINT: stopping; faults are healed first (Ctrl-C again ends the heal)\n');
    expect(left).toContain('plug: healed, proven\n');
    expect(await open.cursorIsShown()).toBe(true);
  }),
);

test.concurrent(
  'is not delayed by a stopped terminal',
  onStage(async ({ drill, start }) => {
    const open = await start(80, 24);
    await until((screen) => screen.includes('outage   DOWN'), open);
    // The terminal stops its output, so that writes to it would block.
    await open.keys('C-s');
    const log = await vi.waitFor(
      () => {
        const [run = ''] = readdirSync(join(drill.folder, 'runs'));
        const text = readFileSync(join(drill.folder, 'runs', run, 'events.ndjson'), 'utf8');
        if (!text.includes('"type":"run.ended"'))
          throw new Error('wait for the drill: its log has no run.ended yet');
        return text;
      },
      { timeout: 240_000, interval: 250 },
    );
    expect(log).toContain('"type":"heal.proven"');
    expect((await open.screen()).join('\n')).not.toContain('healed, proven');
    await open.keys('C-q');
    expect(verdictCodes).toContain(await ended(open));
    const left = (await open.everything()).join('\n');
    expect(left).not.toMatch(ofBlock);
    expect(left).toMatch(/plug: healed, proven\n[^]*(PASS|INCONCLUSIVE) {2}The plug is pulled/);
  }),
);

test.concurrent(
  'keeps its block intact when the terminal gets narrower and wide again',
  onStage(async ({ start }) => {
    const open = await start(120, 40);
    await until((screen) => screen.includes('outage   DOWN'), open);
    await open.resize(50, 40);
    const narrow = await until((screen) => /^ {2}web +x+ bad/m.test(screen), open);
    await until((screen) => screen !== narrow, open);
    await open.resize(120, 40);
    expect(verdictCodes).toContain(await ended(open));
    expect((await open.everything()).join('\n')).not.toMatch(ofBlock);
  }),
);

test.concurrent(
  'has no colors with --no-color',
  onStage(async ({ start }) => {
    const open = await start(80, 24, '--no-color');
    await until((screen) => screen.includes('outage   DOWN'), open);
    // oxlint-disable-next-line no-control-regex
    expect(await open.painted()).not.toMatch(/\u001B\[3\dm/);
  }),
);

test.concurrent(
  'is plain lines without a terminal, even with FORCE_COLOR',
  onStage(async ({ runArgs, env }) => {
    const { all, exitCode } = await execa(process.execPath, [firedrill, ...runArgs], {
      cwd: root,
      env: { ...env, FORCE_COLOR: '1' },
      stdin: 'ignore',
      all: true,
      reject: false,
    });
    expect(verdictCodes).toContain(exitCode);
    expect(all).not.toMatch(ofBlock);
    // oxlint-disable-next-line no-control-regex
    expect(all).not.toMatch(/\u001B\[(\?2026|3\d)/);
  }),
);
