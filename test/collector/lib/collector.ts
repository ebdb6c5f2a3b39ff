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
 * Global setup: builds the Collector once from Debian unstable's source packages with the same release's Go. Only unstable
 * has them; neither is installed. Downloads about 330 MB and takes 5 min.
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
      // Accept a mirror that was not updated for a week.
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
      // As in Debian's own build: GOPATH finds the packages, so nothing is downloaded.
      GO111MODULE: 'off',
      CGO_ENABLED: '0',
    },
  });
  for (const name of ['root', 'cache', 'gopath']) await rm(join(folder, name), { recursive: true });
  await writeFile(stamp, readFileSync(source));
}
