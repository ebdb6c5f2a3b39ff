import { execa } from 'execa';

// Before any lab test, whichever comes first: an engine, and the images, as a user of a bare machine gets them.
export async function setup(): Promise<void> {
  await execa(process.execPath, ['bin/firedrill.mjs', 'lab', 'build', '--stack', 'certlocker'], {
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    timeout: 1_800_000,
  });
}
