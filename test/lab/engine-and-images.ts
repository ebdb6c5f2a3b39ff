import { execa } from 'execa';

// Global setup of the lab tests: installs the engine and builds the images, as a user on a bare machine does.
export async function setup(): Promise<void> {
  await execa(process.execPath, ['bin/firedrill.mjs', 'lab', 'build', '--stack', 'certlocker'], {
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    timeout: 1_800_000,
  });
}
