import { relative, sep } from 'node:path';

/** A file as a page in the folder `from` links it: relative, every part of the path encoded. Used by pages that lead to reports. */
export function linkTo(path: string, from: string): string {
  return relative(from, path).split(sep).map(encodeURIComponent).join('/');
}
