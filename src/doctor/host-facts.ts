import { noPodman } from '../core/container-engine.ts';
import type { Host } from '../core/host.ts';

/** Facts that a host reports about itself. */
export interface HostFacts {
  /** User id that commands run as. */
  readonly uid: number;
  readonly kernel: string;
  /** systemd is the init system. */
  readonly systemd: boolean;
  /** CAP_NET_RAW is among the capabilities of a command. */
  readonly rawSockets: boolean;
  /** The kernel has sch_netem; undefined if the kernel configuration cannot be read. */
  readonly netem: boolean | undefined;
  /** Version of the Docker engine; undefined if none answers. */
  readonly engine: string | undefined;
  /** Docker's error message if no engine answers. */
  readonly engineError: string | undefined;
  /** The requested tools that are in PATH. */
  readonly tools: ReadonlySet<string>;
}

/** CAP_NET_RAW of capabilities(7). */
const netRawBit = 13n;

// One command for all facts. It is read-only: it loads no module, and reads no table that would load one.
const script = `
echo "uid $(id -u)"
echo "kernel $(uname -r)"
if [ -d /run/systemd/system ]; then echo systemd yes; fi
while read -r key value; do if [ "$key" = CapEff: ]; then echo "caps $value"; fi; done </proc/self/status
if [ -d /sys/module/sch_netem ] || modinfo sch_netem >/dev/null 2>&1; then echo netem yes
elif config=$(zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null); then
  case $config in *CONFIG_NET_SCH_NETEM=[ym]*) echo netem yes ;; *) echo netem no ;; esac
fi
if command -v docker >/dev/null 2>&1; then
  case $(docker --version 2>/dev/null; docker version 2>/dev/null) in *[Pp]odman*) echo 'podman yes' ;; esac
  said=$(docker version --format '{{.Server.Version}}' 2>&1) && echo "engine $said" || echo "engine-error $(printf %s "$said" | tail -n 1)"
fi
for tool in "$@"; do if command -v -- "$tool" >/dev/null 2>&1; then echo "tool $tool"; fi; done
`;

/** Time limit of the script, ms. `docker version` may wait for an engine that hangs. */
const askTimeoutMs = 15_000;

/** Gathers the facts with one read-only command. @throws DrillError `host-unreachable` */
export async function askHost(host: Host, tools: readonly string[], signal: AbortSignal): Promise<HostFacts> {
  const argv = ['sh', '-c', script, 'doctor', ...tools];
  const { stdout } = await host.exec(argv, { timeoutMs: askTimeoutMs, signal });
  return readFacts(stdout);
}

/** Parses the output of the script above. */
export function readFacts(text: string): HostFacts {
  const lines = text
    .split('\n')
    .map((line) => [line.replace(/ .*/, ''), line.replace(/^\S+ ?/, '')] as const);
  const said = new Map(lines);
  const netem = said.get('netem');
  const caps = said.get('caps') ?? '';
  return {
    uid: Number(said.get('uid') ?? Number.NaN),
    kernel: said.get('kernel') ?? '',
    systemd: said.has('systemd'),
    rawSockets: /^[0-9a-f]+$/i.test(caps) && ((BigInt(`0x${caps}`) >> netRawBit) & 1n) === 1n,
    netem: netem === undefined ? undefined : netem === 'yes',
    engine: said.has('podman') ? undefined : said.get('engine'),
    engineError: said.has('podman') ? noPodman.why : said.get('engine-error'),
    tools: new Set(lines.filter(([key]) => key === 'tool').map(([, tool]) => tool)),
  };
}
