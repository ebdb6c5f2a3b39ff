/**
 * Whether docker reported that the container does not exist. This is a known state; after any other error,
 * the state is unknown.
 */
export function isNoSuchContainer(stderr: string): boolean {
  return /no such container/i.test(stderr);
}
