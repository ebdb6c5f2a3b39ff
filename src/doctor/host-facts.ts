import { noPodman } from '../core/container-engine.ts';
import type { Host } from '../core/host.ts';

/** What a host says of itself, before any judgement. */
export interface HostFacts {
  /** Of the user that commands run as. */
  readonly uid: number;
  readonly kernel: string;
  /** systemd is the init system. */
  readonly systemd: boolean;
  /** CAP_NET_RAW is among the capabilities of a command. */
  readonly rawSockets: boolean;
  /** sch_netem is there; undefined where the host cannot tell. */
  readonly netem: boolean | undefined;
  /** Version of the Docker engine; undefined where none answers. */
  readonly engine: string | undefined;
  /** Why none answers, in Docker's words. */
  readonly engineError: string | undefined;
  /** Those of the tools asked for that are on the path. */
  readonly tools: ReadonlySet<string>;
}

/** CAP_NET_RAW of capabilities(7). */
const netRawBit = 13n;

// One command, whatever is asked. Only looks: no module is loaded, no table is read that would load one.
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

/** Longest time that the questions may take: Docker may let us wait. */
const askTimeoutMs = 15_000;

/** Asks a host, by one command that only looks. @throws DrillError `host-unreachable` */
export async function askHost(host: Host, tools: readonly string[], signal: AbortSignal): Promise<HostFacts> {
  const argv = ['sh', '-c', script, 'doctor', ...tools];
  const { stdout } = await host.exec(argv, { timeoutMs: askTimeoutMs, signal });
  return readFacts(stdout);
}

/** What the script above has said. */
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
