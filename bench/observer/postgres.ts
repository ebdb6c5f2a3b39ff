import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { pause } from '../mono.ts';
import { freePort } from '../free-port.ts';

/** A running PostgreSQL server for the benchmark. */
export interface PostgresServer {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Debian's folder of PostgreSQL versions. */
const versions = '/usr/lib/postgresql';
const startWithinMs = 20_000;

/** Program folder of the newest installed version; undefined without any. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(versions)) return undefined;
  return readdirSync(versions)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'postgres')));
}

/** Creates a cluster in the folder and starts it. Any user of this machine may log in. The server does not run as root. */
export async function startPostgres(programs: string, folder: string): Promise<PostgresServer> {
  const data = join(folder, 'data');
  mkdirSync(data);
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const asRoot = process.getuid?.() === 0;
  const user = asRoot ? { uid: id('-u'), gid: id('-g') } : {};
  if (user.uid !== undefined) for (const path of [folder, data]) chownSync(path, user.uid, user.gid);
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync'];
  execFileSync(join(programs, 'initdb'), initdb, { ...user, cwd: folder, stdio: 'ignore' });
  const port = await freePort();
  const child = spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port), '-k', folder], {
    ...user,
    cwd: folder,
    stdio: 'ignore',
  });
  const deadline = performance.now() + startWithinMs;
  const isReady = (): boolean => {
    try {
      execFileSync(join(programs, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)], {
        stdio: 'ignore',
      });
      return true;
    } catch {
      return false;
    }
  };
  while (!isReady()) {
    if (performance.now() > deadline) throw new Error('cannot start PostgreSQL: it is not ready after 20 s');
    await pause(100);
  }
  return {
    pid: child.pid ?? 0,
    port,
    stop: async () => {
      // A fast shutdown (postgres(1)).
      child.kill('SIGINT');
      await once(child, 'exit');
    },
  };
}
