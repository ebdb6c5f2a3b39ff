import { join } from 'node:path';
import { execa } from 'execa';

const root = join(import.meta.dirname, '../../..');

/** The image under test, and the image of a host that its drills act on. */
export const image = 'firedrill-test/image:1';
export const hostImage = 'firedrill-test/image-host:1';

/** Global setup: builds both images. FIREDRILL_TARBALL is the npm package to ship; by default, the checkout is packed. */
export async function setup(): Promise<void> {
  const options = { cwd: root, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' } as const;
  const tarball = process.env['FIREDRILL_TARBALL'];
  const from = tarball === undefined ? [] : ['--tarball', tarball];
  await execa(process.execPath, ['scripts/build-image.ts', '--tag', image, ...from], options);
  await execa('docker', ['build', '--tag', hostImage, 'test/image/host'], options);
}
