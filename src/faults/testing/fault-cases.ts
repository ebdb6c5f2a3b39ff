import { managementAddress } from './simulated-machine.ts';

/** One fault of each kind, with parameters that the simulated machine supports. */
export const faultCases: readonly (readonly [kind: string, params: Readonly<Record<string, unknown>>])[] = [
  ['process.kill', { process: 'nginx', unit: 'nginx.service' }],
  ['process.kill', { process: 'nginx', container: 'web' }],
  ['container.stop', { container: 'web' }],
  ['container.kill', { container: 'web' }],
  ['container.restart', { container: 'web' }],
  ['container.pause', { container: 'web' }],
  ['container.remove', { container: 'web', projectDirectory: '/opt/app' }],
  ['compose.down', { projectDirectory: '/opt/app' }],
  ['service.stop', { units: ['nginx.service'] }],
  ['service.restart', { units: ['nginx.service'] }],
  ['power.cut', {}],
  ['server.stop', {}],
  ['server.reboot', {}],
  ['network.partition', { peers: ['198.18.0.99'] }],
  ['network.isolate', { allow: ['198.18.0.99', managementAddress] }],
  ['network.loss', { percent: 50, peers: ['198.18.0.99'] }],
  ['network.delay', { delay: '100ms' }],
  ['network.link-down', { interface: 'eth0' }],
  ['command', { run: ['break'], undo: ['repair'], effect: ['is-broken'], undone: ['is-repaired'] }],
];

/** Kinds that leave nothing broken if no step is disturbed. */
export const passingKinds: readonly string[] = ['container.restart', 'service.restart', 'server.reboot'];
