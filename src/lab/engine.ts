import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import pRetry from 'p-retry';
import { DrillError, messageOf } from '../core/errors.ts';
import { aptCandidate, aptInstall, aptUpdate } from './apt.ts';
import { type LabContext, succeeds } from './lab-context.ts';
import { canInstallEngine, type MachineFacts } from './machine.ts';

const logPath = '/var/log/dockerd.log';

/**
 * Ensures that a Docker engine answers. Without a running engine, it installs and starts one (as root on Debian or Ubuntu).
 * The engine keeps running after firedrill ends. Returns a sentence on what was done. Throws DrillError `lab`.
 */
export async function ensureEngine(context: LabContext, facts: MachineFacts): Promise<string> {
  if (facts.engine !== undefined) return `Docker engine ${facts.engine.version} is running`;
  if (!canInstallEngine(facts)) {
    throw new DrillError('lab', `no Docker engine answers: ${facts.engineError ?? 'no docker client'}`, {
      hint: 'Start a Docker engine and give this user access to it (`docker info` must work). As root on Debian or Ubuntu, firedrill installs one.',
    });
  }
  const elsewhere = process.env['DOCKER_HOST'];
  if (elsewhere !== undefined && elsewhere !== '') {
    throw new DrillError('lab', `no engine answers at DOCKER_HOST=${elsewhere}`, {
      hint: 'Start that engine, or unset DOCKER_HOST: firedrill then sets up an engine on this machine.',
    });
  }
  const installed = await succeeds(context, ['dockerd', '--version']);
  if (!installed) await installEngine(context);
  await startEngine(context);
  return installed ? 'started the Docker engine' : 'installed and started a Docker engine';
}

async function installEngine(context: LabContext): Promise<void> {
  // mmdebstrap builds the base image if no registry answers. Newer releases have the client and the plugins in separate packages.
  const packages = ['docker.io', 'iptables', 'mmdebstrap'];
  if ((await aptCandidate(context, 'docker.io')) === undefined) await aptUpdate(context);
  for (const name of ['docker-cli', 'docker-buildx', 'docker-compose-v2']) {
    if ((await aptCandidate(context, name)) !== undefined) packages.push(name);
  }
  if (/^[2-9]/.test((await aptCandidate(context, 'docker-compose')) ?? '')) packages.push('docker-compose');
  context.report({
    step: 'engine',
    state: 'info',
    text: `no Docker engine is installed: installing ${packages.join(', ')} with apt`,
  });
  await aptInstall(context, packages);
}

/** Starts dockerd and waits until it answers. */
async function startEngine(context: LabContext): Promise<void> {
  if (existsSync('/run/systemd/system')) {
    await succeeds(context, ['systemctl', 'start', 'docker.service'], 90_000);
  } else if (!(await engineProcessAlive())) {
    await removeLeftovers();
    const log = await open(logPath, 'a');
    try {
      // dockerd gets its own session and writes to a file, so that firedrill can end.
      const child = spawn('dockerd', [], { detached: true, stdio: ['ignore', log.fd, log.fd] });
      child.on('error', (error) => {
        context.report({
          step: 'engine',
          state: 'info',
          text: `dockerd could not be started: ${messageOf(error)}`,
        });
      });
      child.unref();
    } finally {
      await log.close();
    }
  }
  try {
    await pRetry(
      async () => {
        if (!(await succeeds(context, ['docker', 'info'], 5000)))
          throw new Error('the engine does not answer yet');
      },
      {
        retries: 240,
        minTimeout: 250,
        maxTimeout: 250,
        factor: 1,
        maxRetryTime: 60_000,
        signal: context.signal,
      },
    );
  } catch (error) {
    context.signal.throwIfAborted();
    throw new DrillError(
      'lab',
      `dockerd was started, but \`docker info\` still fails after 60 s\n${await logTail()}`,
      {
        hint: `Read ${logPath} (or \`journalctl -u docker\`).`,
        cause: error,
      },
    );
  }
}

/** Whether the process in the pid file is dockerd. The pid may be stale, and another process may have it now. */
async function engineProcessAlive(): Promise<boolean> {
  return (await processNameOf('/var/run/docker.pid')) === 'dockerd';
}

async function removeLeftovers(): Promise<void> {
  await rm('/var/run/docker.pid', { force: true });
  await rm('/var/run/docker.sock', { force: true });
  if ((await processNameOf('/var/run/docker/containerd/containerd.pid')) !== 'containerd') {
    await rm('/var/run/docker/containerd/containerd.pid', { force: true });
  }
}

async function processNameOf(pidFile: string): Promise<string | undefined> {
  try {
    const pid = (await readFile(pidFile, 'utf8')).trim();
    return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
  } catch {
    return undefined;
  }
}

async function logTail(): Promise<string> {
  try {
    return (await readFile(logPath, 'utf8')).trim().split('\n').slice(-8).join('\n');
  } catch {
    return '';
  }
}
