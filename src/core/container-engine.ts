/**
 * What to tell people whose `docker` is Podman. Its words about stopped containers, its restart policies, and its times differ
 * from Docker's, and firedrill decides by them what is down and what is healed.
 */
export const noPodman = {
  why: '`docker` is Podman there, and firedrill supports only Docker',
  mend: 'Install Docker there, or reach the container over SSH (transport ssh) and break its service by kind service.stop or command.',
} as const;

/** Whether this is what `docker --version` and `docker version` print where they are Podman's, or where Podman serves Docker's client. */
export function isPodman(versions: string): boolean {
  return /\bpodman\b/i.test(versions);
}
