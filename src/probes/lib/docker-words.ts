/** Whether docker complained that it knows no such container: an answer, unlike any other complaint. */
export function saysNoSuchContainer(stderr: string): boolean {
  return /no such container/i.test(stderr);
}
