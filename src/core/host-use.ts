/** What a kind needs on the host where its commands run; `doctor` checks it. */
export interface HostUse {
  /** Programs in PATH. */
  readonly tools: readonly string[];
  /** Its commands need root. */
  readonly root?: true;
  /** systemd must be the init system: for units, or for the auto-revert timer. */
  readonly systemd?: true;
  /** A Docker engine that answers. */
  readonly engine?: true;
  /** CAP_NET_RAW, to capture or craft packets. */
  readonly rawSockets?: true;
  /** sch_netem in the kernel. */
  readonly netem?: true;
}
