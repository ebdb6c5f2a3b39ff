import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aptInstall, debianMirror } from '../../../src/lab/apt.ts';
import { labContext, mustRun, succeeds } from '../../../src/lab/lab-context.ts';

const folder = join(import.meta.dirname, '../../../.firedrill/collector');
const source = join(import.meta.dirname, '../main.go');

/** The program that `setup` built. */
export const collectorPath = join(folder, 'otelcol');

/**
 * Before any test, once: the Collector is built from Debian's sources of it, which only its unstable release has, with the Go
 * of that release; neither is installed. About 330 MB to fetch, and five minutes.
 */
export async function setup(): Promise<void> {
  const stamp = join(folder, 'main.go');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(source, 'utf8')) return;
  const context = labContext(new AbortController().signal, () => {});
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'gopath/src/otelcol'), { recursive: true });
  await cp(source, join(folder, 'gopath/src/otelcol/main.go'));
  if (!(await succeeds(context, ['mmdebstrap', '--version']))) await aptInstall(context, ['mmdebstrap']);
  const root = join(folder, 'root');
  await mustRun(
    context,
    [
      'mmdebstrap',
      '--variant=extract',
      '--include=golang-go,golang-opentelemetry-collector-dev',
      '--aptopt=Acquire::Languages "none"',
      // A mirror that has stood still for a week will do.
      '--aptopt=Acquire::Check-Valid-Until "false"',
      'sid',
      root,
      await debianMirror(context),
    ],
    { timeoutMs: 900_000 },
  );
  await mustRun(context, [join(root, 'usr/lib/go/bin/go'), 'build', '-o', collectorPath, '.'], {
    timeoutMs: 1_200_000,
    cwd: join(folder, 'gopath/src/otelcol'),
    env: {
      GOROOT: join(root, 'usr/lib/go'),
      GOPATH: `${join(folder, 'gopath')}:${join(root, 'usr/share/gocode')}`,
      GOCACHE: join(folder, 'cache'),
      GOTOOLCHAIN: 'local',
      // As Debian builds it: packages are found by folders, and nothing is fetched.
      GO111MODULE: 'off',
      CGO_ENABLED: '0',
    },
  });
  for (const name of ['root', 'cache', 'gopath']) await rm(join(folder, name), { recursive: true });
  await writeFile(stamp, readFileSync(source));
}
