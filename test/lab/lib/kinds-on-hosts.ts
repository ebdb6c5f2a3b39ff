/** Kinds of faults that need no stack. host-faults.test.ts tests each on a single host, and checks this list. */
export const kindsOnHosts = [
  'command',
  'compose.down',
  'container.kill',
  'container.pause',
  'container.remove',
  'container.restart',
  'container.stop',
  'network.delay',
  'network.isolate',
  'network.link-down',
  'network.loss',
  'network.partition',
  'power.cut',
  'process.kill',
  'service.restart',
  'service.stop',
] as const;
