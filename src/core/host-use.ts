/** What a kind needs on the host where its commands run: `doctor` looks for it. */
export interface HostUse {
  /** Programs on the path. */
  readonly tools: readonly string[];
  /** What its commands do, only root may. */
  readonly root?: true;
  /** systemd is the init system there: for units, or for the timer that undoes a fault. */
  readonly systemd?: true;
  /** A Docker engine that answers. */
  readonly engine?: true;
  /** CAP_NET_RAW: packets are captured, or made by hand. */
  readonly rawSockets?: true;
  /** sch_netem in the kernel. */
  readonly netem?: true;
}
