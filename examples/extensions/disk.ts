import { defineExtension, defineFault, DrillError, run, runOk, shellQuote, z } from 'firedrill';
import type { FaultContext } from 'firedrill';

const params = z.strictObject({
  folder: z
    .string()
    .regex(/^\/[^\n]*$/, { error: 'expected an absolute path' })
    .describe('A folder on the file system to fill. firedrill puts one file into it.'),
  fill: z
    .string()
    .regex(/^(?:[1-9]\d?|100)%$|^[1-9]\d*MiB$/, {
      error: 'expected a share such as 95%, or a size such as 500MiB',
    })
    .describe('How full the file system gets, such as `95%`, or the size of the file, such as `500MiB`.'),
  atMostMiB: z
    .int()
    .min(1)
    .default(10_240)
    .describe('The fault is refused if the file would be larger than this (default: 10240).'),
});
type Params = z.output<typeof params>;

/** The file of this fault, decided before it exists: the heal removes this file, and no other. */
interface Before extends Record<string, string | number> {
  readonly file: string;
  readonly bytes: number;
}

const mib = 1024 * 1024;

/** Fills a file system with one file, and removes that file. */
const fill = defineFault<Params, Before, null>({
  kind: 'disk.fill',
  summary: 'Fill a file system with one file until the heal.',
  healAfter: 'recovery',
  params,
  uses: () => ({ tools: ['df', 'fallocate', 'rm', 'stat'] }),
  describe: (p) => ({
    inject: `fallocate a file in ${p.folder}: ${p.fill}`,
    heal: `remove the file firedrill-fill-* from ${p.folder}`,
    blastRadius: `everything that writes to the file system of ${p.folder}`,
  }),

  async before(p, ctx) {
    const { sizeBytes, usedBytes, freeBytes } = await spaceOf(p.folder, ctx);
    const bytes = p.fill.endsWith('%')
      ? Math.floor((sizeBytes * Number.parseInt(p.fill, 10)) / 100) - usedBytes
      : Number.parseInt(p.fill, 10) * mib;
    if (bytes <= 0)
      throw new DrillError('fault-failed', `${ctx.host.name}: ${p.folder} is already ${p.fill} full`);
    if (bytes > p.atMostMiB * mib)
      throw new DrillError(
        'refused',
        `${ctx.host.name}: to fill ${p.folder} takes ${Math.ceil(bytes / mib)} MiB, more than ${p.atMostMiB} MiB`,
        { hint: 'Raise `atMostMiB` of the fault if this file may be that large.' },
      );
    // Root may use blocks that `df` does not count as free.
    const fits = Math.min(bytes, freeBytes);
    const suffix = `${Math.round(ctx.clock.wallMs())}-${Math.random().toString(36).slice(2, 8)}`;
    return { file: `${p.folder.replace(/\/+$/, '')}/firedrill-fill-${suffix}`, bytes: fits };
  },

  async inject(_p, { file, bytes }, ctx) {
    await runOk(ctx, ['fallocate', '-l', String(bytes), file]);
    return null;
  },

  effect: async (_p, { file, bytes }, ctx) => (await sizeOf(file, ctx)) === bytes,

  undo: (_p, { file }) => `rm -f -- ${shellQuote(file)}`,

  async heal(_p, { file }, ctx) {
    await runOk(ctx, ['rm', '-f', '--', file]);
  },

  healed: async (_p, { file }, ctx) => (await sizeOf(file, ctx)) === 'gone',
});

async function spaceOf(folder: string, ctx: FaultContext) {
  const output = await runOk(ctx, ['df', '-P', '-B', '1', '--', folder]);
  const [size, used, free] = (/(\d+) +(\d+) +(\d+) +\d+% /.exec(output) ?? []).slice(1).map(Number);
  if (size === undefined || used === undefined || free === undefined)
    throw new DrillError('fault-failed', `${ctx.host.name}: \`df\` of ${folder} printed no sizes`);
  return { sizeBytes: size, usedBytes: used, freeBytes: free };
}

/** The size of a file, or `gone`. Anything but a clear answer is an error: no answer shows that the file is gone. */
async function sizeOf(file: string, ctx: FaultContext): Promise<number | 'gone'> {
  const script = `if [ -e ${shellQuote(file)} ]; then stat -c 'size %s' -- ${shellQuote(file)}; else echo gone; fi`;
  const { exitCode, stdout } = await run(ctx, ['/bin/sh', '-c', script]);
  const answer = /^(?:size (\d+)|gone)\n$/.exec(stdout);
  if (exitCode !== 0 || answer === null)
    throw new DrillError('host-unreachable', `${ctx.host.name}: cannot read the size of ${file}`);
  return answer[1] === undefined ? 'gone' : Number(answer[1]);
}

export default defineExtension({ name: 'disk', faults: [fill] });
