import { readFile, statfs } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { messageOf } from '../core/errors.ts';
import type { Finding } from '../core/finding.ts';
import type { LabContext } from './lab-context.ts';
import { judgeSpeed, type MachineSpeed } from './machine-speed.ts';
import type { LabManifest } from './manifest.ts';
import { isDebianFamily, type OsRelease, parseOsRelease } from './os-release.ts';

/** Facts about the machine. */
export interface MachineFacts {
  readonly platform: string;
  readonly arch: string;
  readonly os: OsRelease;
  readonly root: boolean;
  /** Version of the Docker client; undefined without one. */
  readonly dockerClient: string | undefined;
  readonly engine: EngineFacts | undefined;
  /** Docker's error if the engine did not answer. */
  readonly engineError: string | undefined;
  readonly composeVersion: string | undefined;
  /** Whether all VMs of the lab run. Then their memory and disk space are already in use, and no more is needed. */
  readonly labRunning: boolean;
  readonly memoryAvailableMiB: number | undefined;
  readonly diskAvailableMiB: number | undefined;
  readonly diskPath: string;
  readonly cgroup: 'v1' | 'v2' | 'none';
  readonly overlay: boolean;
  readonly netem: boolean | undefined;
  /** Output of `ip -4 route show`; undefined if the command failed. */
  readonly routes: string | undefined;
  /** Absent if it was not measured. */
  readonly speed?: MachineSpeed;
}

/** Facts from `docker info`. */
export interface EngineFacts {
  readonly version: string;
  readonly rootDir: string;
  readonly cgroupVersion: string;
  readonly securityOptions: readonly string[];
  readonly operatingSystem: string;
}

const engineFormat =
  '{"version":{{json .ServerVersion}},"rootDir":{{json .DockerRootDir}},"cgroupVersion":{{json .CgroupVersion}},' +
  '"securityOptions":{{json .SecurityOptions}},"operatingSystem":{{json .OperatingSystem}}}';

/**
 * Gathers facts about the machine without changing it. Used by `doctor`, and by `lab up` before any change. Each command has a
 * time limit. Unknown facts are undefined.
 */
export async function gatherFacts(context: LabContext, manifest: LabManifest): Promise<MachineFacts> {
  const ask = async (argv: readonly string[]): Promise<string | undefined> => {
    const result = await context.run(argv, { timeoutMs: 10_000, signal: context.signal });
    return result.exitCode === 0 ? result.stdout.trim() : undefined;
  };
  const [osText, meminfo, filesystems, client, engine, compose, routes] = await Promise.all([
    readText('/etc/os-release'),
    readText('/proc/meminfo'),
    readText('/proc/filesystems'),
    ask(['docker', 'version', '--format', '{{.Client.Version}}']).then(
      (text) => text ?? ask(['docker', '--version']),
    ),
    context.run(['docker', 'info', '--format', engineFormat], { timeoutMs: 10_000, signal: context.signal }),
    ask(['docker', 'compose', 'version', '--short']),
    ask(['ip', '-4', 'route', 'show']),
  ]);
  const engineFacts = parseEngine(engine.exitCode === 0 ? engine.stdout : undefined);
  const diskPath = engineFacts?.rootDir ?? '/var/lib';
  const running = await ask(['docker', 'ps', '--format', '{{.Names}}']);
  return {
    platform: platform(),
    arch: arch(),
    os: parseOsRelease(osText ?? ''),
    root: process.getuid?.() === 0,
    dockerClient: client,
    engine: engineFacts,
    engineError: engineFacts === undefined ? (engine.startError ?? lastLine(engine.stderr)) : undefined,
    composeVersion: compose,
    labRunning: manifest.vms.every((vm) => (running ?? '').split('\n').includes(vm.container)),
    memoryAvailableMiB: parseMemAvailableMiB(meminfo),
    diskAvailableMiB: await freeMiB(diskPath),
    diskPath,
    cgroup: await cgroupVersion(),
    overlay: (filesystems ?? '').includes('overlay') || (await ask(['modinfo', 'overlay'])) !== undefined,
    netem: (
      await ask(['sh', '-c', 'zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)"'])
    )?.includes('CONFIG_NET_SCH_NETEM='),
    routes,
  };
}

/**
 * Judges the facts. Pure, so that every sentence of `doctor` can be tested. `fail`: the user must fix it before `lab up`.
 * `info`: `lab up` fixes it.
 */
export function judgeMachine(facts: MachineFacts, manifest: LabManifest): readonly Finding[] {
  return [
    systemFinding(facts),
    engineFinding(facts),
    composeFinding(facts),
    ...engineDetails(facts),
    memoryFinding(facts, manifest.needs.memoryMiB),
    diskFinding(facts, manifest.needs.diskMiB),
    cgroupFinding(facts),
    overlayFinding(facts),
    netemFinding(facts),
    routeFinding(facts, manifest),
    ...(facts.speed === undefined ? [] : [judgeSpeed(facts.speed, facts.labRunning)]),
  ];
}

/** Gathers and judges the facts. The speed is a parameter, because it is measured once for all stacks. */
export async function inspectMachine(
  context: LabContext,
  manifest: LabManifest,
  speed: MachineSpeed,
): Promise<readonly Finding[]> {
  return judgeMachine({ ...(await gatherFacts(context, manifest)), speed }, manifest);
}

/** Whether `lab up` could install an engine on this machine by itself. */
export function canInstallEngine(facts: Pick<MachineFacts, 'platform' | 'root' | 'os'>): boolean {
  return facts.platform === 'linux' && facts.root && isDebianFamily(facts.os);
}

function systemFinding(facts: MachineFacts): Finding {
  const observed = `${facts.os.prettyName} (${facts.platform} ${facts.arch}), ${facts.root ? 'root' : 'not root'}`;
  if (facts.platform === 'linux') return { name: 'system', status: 'ok', observed };
  return {
    name: 'system',
    status: 'fail',
    observed,
    hint: 'Run the lab in a Linux VM: firedrill probes the VMs by their own addresses, and Docker Desktop does not route to them.',
  };
}

function engineFinding(facts: MachineFacts): Finding {
  const name = 'docker engine';
  if (facts.engine !== undefined) return { name, status: 'ok', observed: facts.engine.version };
  const observed =
    facts.dockerClient === undefined ? 'no docker client' : `no answer: ${facts.engineError ?? 'unknown'}`;
  if (canInstallEngine(facts)) {
    return {
      name,
      status: 'info',
      observed,
      hint: '`firedrill lab up` installs docker.io with apt and starts dockerd.',
    };
  }
  return {
    name,
    status: 'fail',
    observed,
    hint: facts.root
      ? 'Install a Docker engine (20.10 or later) and start it. firedrill installs one only on Debian and Ubuntu.'
      : 'Start a Docker engine and give this user access to it (`docker info` must work). As root on Debian or Ubuntu, firedrill installs one.',
  };
}

function composeFinding(facts: MachineFacts): Finding {
  const name = 'docker compose';
  const version = facts.composeVersion;
  if (version !== undefined && /^v?([2-9]|\d\d)/.test(version))
    return { name, status: 'ok', observed: version };
  const observed = version ?? 'no Compose v2 plugin';
  if (isDebianFamily(facts.os)) {
    return { name, status: 'info', observed, hint: '`firedrill lab up` installs the plugin with apt.' };
  }
  return {
    name,
    status: 'fail',
    observed,
    hint: 'Install the Compose v2 plugin of Docker (docker-compose-plugin).',
  };
}

function engineDetails(facts: MachineFacts): Finding[] {
  const options = facts.engine?.securityOptions ?? [];
  const findings: Finding[] = [];
  for (const [option, word] of [
    ['name=rootless', 'rootless'],
    ['name=userns', 'remapped user namespaces'],
  ] as const) {
    if (options.some((value) => value.startsWith(option))) {
      findings.push({
        name: 'engine mode',
        status: 'fail',
        observed: word,
        hint: 'Switch to an engine with root and without user namespaces (`docker context use NAME`): the VMs mount cgroups and overlays.',
      });
    }
  }
  if (facts.engine?.operatingSystem.includes('Docker Desktop') === true) {
    findings.push({
      name: 'engine mode',
      status: 'fail',
      observed: facts.engine.operatingSystem,
      hint: 'Switch to an engine on this machine (`docker context use NAME`): there is no route to the networks of Docker Desktop.',
    });
  }
  return findings;
}

function memoryFinding(facts: MachineFacts, neededMiB: number): Finding {
  const name = 'memory';
  const available = facts.memoryAvailableMiB;
  if (available === undefined) {
    return {
      name,
      status: 'warn',
      observed: 'unknown',
      hint: `Check with \`free -m\` that about ${gib(neededMiB)} of memory is available.`,
    };
  }
  return enough(facts, available >= neededMiB, {
    name,
    observed: `${gib(available)} available`,
    hint: `The lab needs about ${gib(neededMiB)} of free memory: end other programs, or use a bigger machine.`,
  });
}

function diskFinding(facts: MachineFacts, neededMiB: number): Finding {
  const name = 'disk';
  const available = facts.diskAvailableMiB;
  const where = `below ${facts.diskPath}`;
  if (available === undefined) {
    return {
      name,
      status: 'warn',
      observed: `unknown ${where}`,
      hint: `Check with \`df -h\` that about ${gib(neededMiB)} is free.`,
    };
  }
  return enough(facts, available >= neededMiB, {
    name,
    observed: `${gib(available)} free ${where}`,
    hint: `The lab needs about ${gib(neededMiB)} for its images and volumes: free disk space (\`docker system df\` shows what Docker uses).`,
  });
}

/** Judges memory or disk space. A running lab already has what it needs. */
function enough(
  facts: MachineFacts,
  isEnough: boolean,
  { name, observed, hint }: { name: string; observed: string; hint: string },
): Finding {
  if (facts.labRunning) return { name, status: 'ok', observed: `${observed}; the lab is already running` };
  return isEnough ? { name, status: 'ok', observed } : { name, status: 'fail', observed, hint };
}

function cgroupFinding(facts: MachineFacts): Finding {
  const name = 'cgroups';
  if (facts.cgroup === 'none' && facts.platform === 'linux') {
    return {
      name,
      status: 'fail',
      observed: 'nothing mounted at /sys/fs/cgroup',
      hint: 'Mount the cgroup file systems (`apt-get install cgroupfs-mount`, or boot with systemd).',
    };
  }
  return { name, status: 'ok', observed: facts.engine?.cgroupVersion === '1' ? 'v1' : facts.cgroup };
}

function overlayFinding(facts: MachineFacts): Finding {
  if (facts.overlay)
    return { name: 'overlay', status: 'ok', observed: 'the kernel supports overlay file systems' };
  return {
    name: 'overlay',
    status: 'warn',
    observed: 'not in /proc/filesystems, and there is no module `overlay`',
    hint: 'Run `modprobe overlay`, or install the extra modules of the kernel: the engines in the VMs use overlay2.',
  };
}

function netemFinding(facts: MachineFacts): Finding {
  const name = 'sch_netem';
  if (facts.netem === true) return { name, status: 'ok', observed: 'in the kernel configuration' };
  return {
    name,
    status: 'info',
    observed: facts.netem === false ? 'not in this kernel' : 'kernel configuration not readable',
    hint: 'Install the extra modules of the kernel if you use faults that delay or corrupt packets. Other faults do not need it.',
  };
}

function routeFinding(facts: MachineFacts, manifest: LabManifest): Finding {
  const name = 'lab network';
  const subnet = manifest.network.subnet;
  if (facts.routes === undefined) {
    return {
      name,
      status: 'info',
      observed: 'routes not readable (`ip -4 route show` failed)',
      hint: `Check that no other network uses ${subnet}: the lab needs it.`,
    };
  }
  const clash = collidingRoutes(facts.routes, subnet, manifest.network.gateway);
  if (clash.length === 0) return { name, status: 'ok', observed: `${subnet} is free` };
  return {
    name,
    status: 'fail',
    observed: `${subnet} is already routed: ${clash.join('; ')}`,
    hint: 'Remove the network that uses it: a Docker network (`docker network ls`, `docker network rm NAME`), or a VPN.',
  };
}

/**
 * The routes that overlap `subnet`, without the lab's own bridge (its source address is the lab's gateway) and without the
 * default route.
 */
export function collidingRoutes(routes: string, subnet: string, gateway: string): string[] {
  const requested = parseCidr(subnet);
  return routes
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => {
      const destination = /^(?:(?:unicast|blackhole|unreachable|prohibit)\s+)?([0-9./]+)/.exec(line)?.[1];
      const route = destination === undefined ? undefined : parseCidr(destination);
      if (route === undefined || requested === undefined || route.bits === 0) return false;
      if (line.includes(`src ${gateway}`)) return false;
      const bits = Math.min(route.bits, requested.bits);
      return bits === 0 || route.address >>> (32 - bits) === requested.address >>> (32 - bits);
    });
}

function parseCidr(text: string): { address: number; bits: number } | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = match.slice(1, 5).map(Number);
  return { address: ((a << 24) | (b << 16) | (c << 8) | d) >>> 0, bits: Number(match[5] ?? 32) };
}

/** `MemAvailable` of /proc/meminfo in MiB; undefined if it is missing. */
export function parseMemAvailableMiB(meminfo: string | undefined): number | undefined {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo ?? '');
  return match?.[1] === undefined ? undefined : Math.floor(Number(match[1]) / 1024);
}

function parseEngine(text: string | undefined): EngineFacts | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<EngineFacts>;
    if (typeof value.version !== 'string' || value.version === '') return undefined;
    return {
      version: value.version,
      rootDir: value.rootDir ?? '/var/lib/docker',
      cgroupVersion: value.cgroupVersion ?? '',
      securityOptions: value.securityOptions ?? [],
      operatingSystem: value.operatingSystem ?? '',
    };
  } catch (error) {
    throw new TypeError(`cannot parse the output of docker info: ${messageOf(error)}`, { cause: error });
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Free space of the file system that holds `path`, or its nearest existing parent. */
async function freeMiB(path: string): Promise<number | undefined> {
  for (let candidate = path; ; candidate = candidate.slice(0, candidate.lastIndexOf('/')) || '/') {
    try {
      const info = await statfs(candidate);
      return Math.floor((info.bavail * info.bsize) / 2 ** 20);
    } catch {
      if (candidate === '/') return undefined;
    }
  }
}

async function cgroupVersion(): Promise<'v1' | 'v2' | 'none'> {
  if ((await readText('/sys/fs/cgroup/cgroup.controllers')) !== undefined) return 'v2';
  return ((await readText('/proc/self/mounts')) ?? '').includes(' cgroup ') ? 'v1' : 'none';
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1) || undefined;
}

function gib(mebibytes: number): string {
  return `${(mebibytes / 1024).toFixed(1)} GiB`;
}
