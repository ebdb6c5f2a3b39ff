import { relative, sep } from 'node:path';

/** URL of `path` relative to the folder `from`, percent-encoded by path segment. */
export function linkTo(path: string, from: string): string {
  return relative(from, path).split(sep).map(encodeURIComponent).join('/');
}
