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
 * Makes sure that a Docker engine answers: uses the one there is, else (root on Debian or Ubuntu) installs and starts
 * one. The engine outlives firedrill, as if the user had started it. Returns a sentence on what was done. Throws
 * DrillError `lab`.
 */
export async function ensureEngine(context: LabContext, facts: MachineFacts): Promise<string> {
  if (facts.engine !== undefined) return `Docker engine ${facts.engine.version} is running`;
  if (!canInstallEngine(facts)) {
    throw new DrillError('lab', `no Docker engine answers: ${facts.engineError ?? 'no docker client'}`, {
      mend: 'Start an engine this user may use (`docker info` has to work), or run as root on Debian or Ubuntu.',
    });
  }
  const elsewhere = process.env['DOCKER_HOST'];
  if (elsewhere !== undefined && elsewhere !== '') {
    throw new DrillError('lab', `no engine answers at DOCKER_HOST=${elsewhere}`, {
      mend: 'Start that engine, or unset DOCKER_HOST to have one set up on this machine.',
    });
  }
  const installed = await succeeds(context, ['dockerd', '--version']);
  if (!installed) await installEngine(context);
  await startEngine(context);
  return installed ? 'started the Docker engine' : 'installed and started a Docker engine';
}

async function installEngine(context: LabContext): Promise<void> {
  // What newer releases keep in packages of their own. mmdebstrap makes the base image if no registry answers.
  const packages = ['docker.io', 'iptables', 'mmdebstrap'];
  if ((await aptCandidate(context, 'docker.io')) === undefined) await aptUpdate(context);
  for (const name of ['docker-cli', 'docker-buildx', 'docker-compose-v2']) {
    if ((await aptCandidate(context, name)) !== undefined) packages.push(name);
  }
  if (/^[2-9]/.test((await aptCandidate(context, 'docker-compose')) ?? '')) packages.push('docker-compose');
  context.report({
    step: 'engine',
    state: 'info',
    text: `there is no Docker engine: installing ${packages.join(', ')} with apt`,
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
      // In a session of its own and with its output in a file: the command that started it can end.
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
      `dockerd was started, but \`docker info\` has not worked for 60 s\n${await logTail()}`,
      {
        mend: `Read ${logPath} (or \`journalctl -u docker\`).`,
        cause: error,
      },
    );
  }
}

/** The pid file may be of an engine that is just starting, of a dead one, or its number may belong to another by now. */
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
