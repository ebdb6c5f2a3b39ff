import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { diskAt } from '../../src/engine/testing/small-disk.ts';

// Preloaded into firedrill (`--import`). Each call that changes something below WRITE_POINT_ROOT is a write point.
// WRITE_POINT_MODE applies from point number WRITE_POINT_AT on, counted from the first point that matches WRITE_POINT_FROM: the
// disk is full or fails, or the process is killed. WRITE_POINT_NOTE is a file that gets the points in order, one per line.

/** The failure at a write point. */
export type WritePointMode =
  /** The disk is filled with real data. */
  | 'full'
  /** The disk is full, and freed space is filled again immediately. */
  | 'thief'
  | 'EIO once'
  | 'EDQUOT'
  | 'EROFS'
  /** SIGKILL after the call; a write completes only its first half. */
  | 'torn';

const { WRITE_POINT_ROOT: root = '', WRITE_POINT_NOTE: note = '' } = process.env;
const at = Number(process.env['WRITE_POINT_AT'] ?? Infinity);
const mode = process.env['WRITE_POINT_MODE'] as WritePointMode | undefined;

type Call = (...args: unknown[]) => unknown;
// `real` keeps the original functions of node:fs. `patched` is the object from which `syncBuiltinESMExports` copies.
const real = { ...fs } as unknown as Record<string, Call>;
const patched = fs as unknown as Record<string, Call>;
const open = new Map<number, string>();
const from = new RegExp(process.env['WRITE_POINT_FROM'] ?? '');
let count = 0;
/** While the disk is being filled, calls are not write points. */
let filling = false;

function fill(): void {
  filling = true;
  diskAt(root).fill();
  filling = false;
}

const isBelow = (path: unknown): path is string =>
  !filling && typeof path === 'string' && path.startsWith(`${root}/`);
const errnos: Readonly<Record<string, number>> = { EIO: -5, EROFS: -30, EDQUOT: -122 };

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}

function refuse(code: string, call: string, path: string): never {
  throw Object.assign(new Error(`${code}: injected by the test, ${call} '${path}'`), {
    code,
    errno: errnos[code],
    syscall: call,
    path,
  });
}

/** The type of the event in a write's bytes. */
function eventIn(args: readonly unknown[]): string[] {
  const [, bytes] = args;
  const type =
    bytes instanceof Uint8Array ? /^\{"t":[^,]*,"type":"([^"]*)"/.exec(Buffer.from(bytes).toString()) : null;
  return type?.[1] === undefined ? [] : [type[1]];
}

/** Notes the point, applies its failure, and then makes the call unless the failure replaces it. */
function point(call: string, path: string, args: unknown[]): unknown {
  const name = [call, path.slice(root.length + 1), ...eventIn(args)].join(' ');
  real['appendFileSync']?.(note, `${name}\n`);
  if (count > 0 || from.test(name)) count += 1;
  const act = (): unknown => real[call]?.(...args);
  if (count < at || mode === undefined) return act();
  switch (mode) {
    case 'full':
      if (count === at) fill();
      return act();
    case 'thief':
      fill();
      return act();
    case 'EIO once':
      return count === at ? refuse('EIO', call, path) : act();
    case 'EDQUOT':
      // Calls that need no space succeed.
      return /^(link|open|mkdir|rename|write)/.test(call) ? refuse(mode, call, path) : act();
    case 'EROFS':
      return refuse(mode, call, path);
    case 'torn': {
      const [fd, bytes, from = 0, length = 0, position] = args;
      if (call === 'writeSync') real[call]?.(fd, bytes, from, Math.ceil(Number(length) / 2), position);
      else if (call === 'writeFileSync') real[call]?.(fd, String(bytes).slice(0, String(bytes).length / 2));
      else act();
      return die();
    }
  }
}

if (isMainThread && root !== '') {
  patched['openSync'] = (path, flags = 'r', ...rest) => {
    const fd = (
      isBelow(path) && flags !== 'r'
        ? point('openSync', path, [path, flags, ...rest])
        : real['openSync']?.(path, flags, ...rest)
    ) as number;
    if (isBelow(path)) open.set(fd, path);
    return fd;
  };
  patched['closeSync'] = (fd) => {
    open.delete(fd as number);
    return real['closeSync']?.(fd);
  };
  for (const call of ['writeSync', 'fsyncSync', 'fdatasyncSync', 'ftruncateSync'])
    patched[call] = (fd, ...args) => {
      const path = open.get(fd as number);
      return path === undefined ? real[call]?.(fd, ...args) : point(call, path, [fd, ...args]);
    };
  for (const call of ['linkSync', 'writeFileSync'])
    patched[call] = (path, ...args) =>
      isBelow(path) ? point(call, path, [path, ...args]) : real[call]?.(path, ...args);
  for (const call of ['mkdirSync', 'renameSync', 'unlinkSync', 'rmSync'])
    patched[call] = (path, ...args) => {
      // Creating an existing path, or removing a missing one, does not change the disk.
      const acts = isBelow(path) && fs.existsSync(path) !== (call === 'mkdirSync');
      return acts ? point(call, path, [path, ...args]) : real[call]?.(path, ...args);
    };
  syncBuiltinESMExports();
}
