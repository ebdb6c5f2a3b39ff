import { describe, expect, it } from 'vitest';
import { raiseSessionPriority, type SessionNice } from './priority.ts';

function session(before: number): { session: SessionNice; writes: number[] } {
  const writes: number[] = [];
  const read = (): string => `/autogroup-29770 nice ${writes.at(-1) ?? before}\n`;
  return { writes, session: { read, write: (nice) => void writes.push(nice) } };
}

const deny = (): never => {
  throw new Error('EPERM');
};

describe('raiseSessionPriority', () => {
  it('raises the session’s priority, and restores it once', () => {
    const { session: nice, writes } = session(3);
    const undo = raiseSessionPriority(nice);
    expect(writes).toEqual([-15]);
    undo();
    undo();
    expect(writes).toEqual([-15, 3]);
  });

  it('does not change a priority that is already higher', () => {
    const { session: nice, writes } = session(-18);
    raiseSessionPriority(nice)();
    expect(writes).toEqual([]);
  });

  it('does nothing if it is not permitted or not supported', () => {
    const { session: nice, writes } = session(0);
    expect(() => raiseSessionPriority({ ...nice, write: deny })()).not.toThrow();
    expect(() => raiseSessionPriority({ ...nice, read: deny })()).not.toThrow();
    expect(writes).toEqual([]);
  });
});
