import { type CloudConfig, hexId, uuid } from './config.ts';
import { newRequestId } from './http.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Bearer } from './identity.ts';
import type { Store } from './state-file.ts';

/** The values of nova.compute.power_state that occur here. */
const PowerState = { none: 0, running: 1, shutdown: 4 } as const;

/** One step of an action on the compute host. Times are ms since the epoch, whole seconds as in Nova's database. */
export interface ActionEvent {
  readonly event: string;
  readonly startMs: number;
  finishMs: number | null;
  result: 'Success' | 'Error' | null;
}

/** An action on an instance. */
export interface Action {
  readonly action: string;
  readonly requestId: string;
  /** Null for an action of Nova itself. */
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly startMs: number;
  updatedMs: number;
  message: string | null;
  readonly events: ActionEvent[];
}

/** A server in Nova's database. */
export interface Instance {
  readonly id: string;
  readonly name: string;
  readonly machine: string;
  /** The hypervisor's id of the machine; undefined before it was seen. */
  machineId: string | undefined;
  vmState: 'active' | 'stopped' | 'error';
  taskState: string | null;
  powerState: number;
  readonly createdMs: number;
  updatedMs: number;
  launchedMs: number;
  locked: boolean;
  lockedReason: string | null;
  /** Newest last. */
  readonly actions: Action[];
}

/** An action is refused. The message is for the body of a 409. */
export class Conflict extends Error {}

/** The request and the user of an action. `bearer` is null for the service itself. */
export interface Asker {
  readonly requestId: string;
  readonly bearer: Bearer | null;
}

/** nova-compute and its database for a few machines. */
export interface Instances {
  readonly all: readonly Instance[];
  /** Resumes actions that were interrupted by the end of the process, then syncs power states periodically. */
  run(signal: AbortSignal): Promise<void>;
  /** One power sync, for tests. `run` includes it. */
  syncPowerStates(): Promise<void>;
  /** Starts an action and returns before its end. @throws Conflict */
  stop(instance: Instance, asker: Asker): void;
  start(instance: Instance, asker: Asker): void;
  reboot(instance: Instance, type: 'SOFT' | 'HARD', asker: Asker): void;
  lock(instance: Instance, locked: boolean, reason: string | null): void;
}

/** Number of recorded actions of an instance. */
const keptActions = 100;
/** In a soft reboot, Nova's libvirt driver waits this long for the guest, then reboots it hard. */
const softRebootMs = 120_000;
/** nova.compute.task_states.ALLOW_REBOOT */
const hardRebootOver = [null, 'rebooting', 'reboot_pending', 'reboot_started', 'rebooting_hard'];

export interface InstancesDeps {
  readonly config: CloudConfig;
  readonly hypervisor: Hypervisor;
  readonly store: Store;
  readonly nowMs: () => number;
  /** Logs one line about an event without a request. */
  readonly log: (line: string) => void;
}

export function createInstances({ config, hypervisor, store, nowMs, log }: InstancesDeps): Instances {
  const all = load(config, store, second(nowMs()));
  /** The running action of each machine. A second action waits for it, as for Nova's lock of the instance. */
  const busy = new Map<string, Promise<void>>();

  function second(ms: number): number {
    return Math.floor(ms / 1000) * 1000;
  }

  const save = (instance: Instance): void => {
    instance.updatedMs = second(nowMs());
    store.save(all);
  };

  const refuse = (instance: Instance, action: string, attribute: string, state: string): never => {
    throw new Conflict(`Cannot '${action}' instance ${instance.id} while it is in ${attribute} ${state}`);
  };

  const mustBe = (
    instance: Instance,
    action: string,
    vmStates: readonly Instance['vmState'][],
    taskStates: readonly (string | null)[] = [null],
  ): void => {
    if (instance.locked) throw new Conflict(`Instance ${instance.id} is locked`);
    if (!vmStates.includes(instance.vmState)) refuse(instance, action, 'vm_state', instance.vmState);
    if (!taskStates.includes(instance.taskState))
      refuse(instance, action, 'task_state', String(instance.taskState));
  };

  /** Records an action, and executes it after the earlier ones. */
  const begin = (
    instance: Instance,
    name: 'stop' | 'start' | 'reboot',
    taskState: string,
    asker: Asker,
    work: (still: (task: string) => void) => Promise<Instance['vmState']>,
  ): void => {
    const startMs = second(nowMs());
    const action: Action = {
      action: name,
      requestId: asker.requestId,
      userId: asker.bearer?.userId ?? null,
      projectId: asker.bearer?.projectId ?? null,
      startMs,
      updatedMs: startMs,
      message: null,
      events: [],
    };
    instance.actions.push(action);
    instance.actions.splice(0, Math.max(0, instance.actions.length - keptActions));
    instance.taskState = taskState;
    save(instance);
    const before = busy.get(instance.id) ?? Promise.resolve();
    busy.set(
      instance.id,
      before.then(() => carryOut(instance, action, work)),
    );
  };

  const carryOut = async (
    instance: Instance,
    action: Action,
    work: (still: (task: string) => void) => Promise<Instance['vmState']>,
  ): Promise<void> => {
    const startMs = second(nowMs());
    const event: ActionEvent = {
      event: `compute_${action.action}_instance`,
      startMs,
      finishMs: null,
      result: null,
    };
    action.events.push(event);
    action.updatedMs = startMs;
    // The newest action owns the task state: a hard reboot may arrive during a soft one.
    const mine = (): boolean => instance.actions.at(-1) === action;
    save(instance);
    try {
      const vmState = await work((task) => {
        if (!mine()) return;
        instance.taskState = task;
        save(instance);
      });
      instance.vmState = vmState;
      event.result = 'Success';
    } catch (error) {
      log(`${instance.name}: ${action.action} failed: ${String(error)}`);
      event.result = 'Error';
      action.message = 'Error';
    }
    instance.powerState = await powerOf(instance);
    if (mine()) instance.taskState = null;
    event.finishMs = second(nowMs());
    action.updatedMs = event.finishMs;
    save(instance);
  };

  const powerOf = async (instance: Instance): Promise<number> => {
    try {
      const machine = await hypervisor.inspect(instance.machine);
      if (machine === undefined) return PowerState.none;
      return machine.on ? PowerState.running : PowerState.shutdown;
    } catch {
      return PowerState.none;
    }
  };

  const turnOff = (instance: Instance) => async (): Promise<'stopped'> => {
    await hypervisor.shutDown(instance.machine, config.shutdownTimeoutMs);
    return 'stopped';
  };
  const turnOn = (instance: Instance) => async (): Promise<'active'> => {
    await hypervisor.powerOn(instance.machine);
    return 'active';
  };
  const stopAnyway = (instance: Instance, asker: Asker): void => {
    begin(instance, 'stop', 'powering-off', asker, turnOff(instance));
  };

  /** nova.compute.manager._sync_instance_power_state */
  const sync = async (instance: Instance): Promise<void> => {
    const machine = await hypervisor.inspect(instance.machine);
    // During an action, a change of the power state is expected.
    if (machine === undefined || instance.taskState !== null) return;
    if (machine.id !== instance.machineId) {
      if (instance.machineId !== undefined) log(`${instance.name} was recreated`);
      instance.machineId = machine.id;
      instance.vmState = 'active';
      instance.launchedMs = second(nowMs());
      save(instance);
    }
    const powerState = machine.on ? PowerState.running : PowerState.shutdown;
    if (powerState !== instance.powerState) {
      instance.powerState = powerState;
      save(instance);
    }
    const itself = { requestId: newRequestId(), bearer: null };
    if (instance.vmState === 'active' && !machine.on) {
      log(`${instance.name} shut down by itself; calling the stop API`);
      stopAnyway(instance, itself);
    } else if (instance.vmState === 'stopped' && machine.on) {
      log(`${instance.name} is not stopped; calling the stop API`);
      stopAnyway(instance, itself);
    }
  };

  const syncPowerStates = async (): Promise<void> => {
    for (const instance of all) {
      try {
        await sync(instance);
      } catch (error) {
        log(`${instance.name}: power state unknown: ${String(error)}`);
      }
    }
  };

  /** Like the start of nova-compute: interrupted actions are executed again, so all actions are level-triggered. */
  const resume = (): void => {
    for (const instance of all) {
      const task = instance.taskState;
      if (task === null) continue;
      log(`${instance.name} was ${task} when the service ended; resuming the action`);
      const action = instance.actions.pop();
      const asker = {
        requestId: action?.requestId ?? newRequestId(),
        bearer:
          action?.userId == null ? null : { userId: action.userId, projectId: action.projectId ?? undefined },
      };
      if (task === 'powering-off') stopAnyway(instance, asker);
      else begin(instance, task === 'powering-on' ? 'start' : 'reboot', task, asker, turnOn(instance));
    }
  };

  return {
    all,
    syncPowerStates,
    async run(signal) {
      resume();
      while (config.syncPowerStateMs > 0 && !signal.aborted) {
        await syncPowerStates();
        await new Promise<void>((resolve) => {
          const timer = setTimeout(done, config.syncPowerStateMs);
          function done(): void {
            clearTimeout(timer);
            signal.removeEventListener('abort', done);
            resolve();
          }
          signal.addEventListener('abort', done);
        });
      }
    },
    stop(instance, asker) {
      mustBe(instance, 'stop', ['active', 'error']);
      stopAnyway(instance, asker);
    },
    start(instance, asker) {
      mustBe(instance, 'start', ['stopped']);
      begin(instance, 'start', 'powering-on', asker, turnOn(instance));
    },
    reboot(instance, type, asker) {
      const soft = type === 'SOFT';
      if (soft) mustBe(instance, 'reboot', ['active']);
      else mustBe(instance, 'reboot', ['active', 'stopped', 'error'], hardRebootOver);
      const suffix = soft ? '' : '_hard';
      begin(instance, 'reboot', soft ? 'rebooting' : 'rebooting_hard', asker, async (still) => {
        still(`reboot_pending${suffix}`);
        still(`reboot_started${suffix}`);
        if (soft) await hypervisor.shutDown(instance.machine, softRebootMs);
        else await hypervisor.powerOff(instance.machine);
        await hypervisor.powerOn(instance.machine);
        return 'active';
      });
    },
    lock(instance, locked, reason) {
      instance.locked = locked;
      instance.lockedReason = reason;
      save(instance);
    },
  };
}

/** The configured servers, with their stored state. */
function load(config: CloudConfig, store: Store, nowMs: number): Instance[] {
  const saved = (store.load() ?? []) as readonly Instance[];
  return config.servers.map(({ name, machine }) => {
    const known = saved.find((instance) => instance.name === name && instance.machine === machine);
    return (
      known ?? {
        id: uuid('server', name),
        name,
        machine,
        machineId: undefined,
        vmState: 'active',
        taskState: null,
        powerState: PowerState.running,
        createdMs: nowMs,
        updatedMs: nowMs,
        launchedMs: nowMs,
        locked: false,
        lockedReason: null,
        actions: [created(config, name, nowMs)],
      }
    );
  });
}

/** The `create` action in Nova's records of a new server. */
function created(config: CloudConfig, name: string, nowMs: number): Action {
  return {
    action: 'create',
    requestId: `req-${uuid('request', name)}`,
    userId: hexId('user', config.user),
    projectId: hexId('project', config.project),
    startMs: nowMs,
    updatedMs: nowMs,
    message: null,
    events: [
      { event: 'compute__do_build_and_run_instance', startMs: nowMs, finishMs: nowMs, result: 'Success' },
    ],
  };
}
