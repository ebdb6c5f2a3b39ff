import { relative, resolve, sep } from 'node:path';

/** A path for display: relative if it is below the working folder, else absolute. */
export function display(path: string): string {
  const whole = resolve(path);
  const short = relative(process.cwd(), whole);
  return short === '' || short === '..' || short.startsWith(`..${sep}`) ? whole : short;
}
