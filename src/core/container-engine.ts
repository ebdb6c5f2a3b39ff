/**
 * Error and hint if `docker` is Podman. Its messages about stopped containers, its restart policies, and its
 * time formats differ from Docker's. firedrill relies on them to decide what is down and what is healed.
 */
export const noPodman = {
  why: '`docker` is Podman on this host; firedrill supports only Docker',
  hint: 'Install Docker, or reach the container over SSH (transport `ssh`) and use the fault kinds `service.stop` or `command`.',
} as const;

/**
 * Whether the output of `docker --version` or `docker version` comes from Podman, or from Docker's client
 * with Podman as the server.
 */
export function isPodman(versions: string): boolean {
  return /\bpodman\b/i.test(versions);
}
