import { describe, expect, it } from 'vitest';
import { wallMs } from '../../core/time.ts';
import { VrrpWatch } from './vrrp-watch.ts';

const own = '198.18.2.11';
const other = '198.18.2.12';

/** A watch of `own` that listens from 0. Times are in seconds. */
function watching(): {
  watch: VrrpWatch;
  advert: (source: string, atS: number, over?: { priority?: number; intervalMs?: number }) => void;
  state: (atS: number) => string;
  marks: () => string[];
} {
  const watch = new VrrpWatch(own, 1000);
  watch.listens(wallMs(0));
  return {
    watch,
    advert: (source, atS, { priority = source === own ? 100 : 90, intervalMs = 1000 } = {}) =>
      watch.hears({ wallMs: wallMs(atS * 1000), source, virtualRouterId: 51, priority, intervalMs }),
    state: (atS) => {
      const view = watch.view(wallMs(atS * 1000));
      return view.state === 'master' ? `master ${view.priority}` : view.state;
    },
    marks: () =>
      watch.takeMarks().map(({ name, wallMs, value = '' }) => `${wallMs / 1000} ${name} ${value}`.trim()),
  };
}

describe('the VRRP state of an address', () => {
  it('is master from its first advert, without a mark, because it may have been master before', () => {
    const { advert, state, marks } = watching();
    expect(state(0.5)).toBe('unknown');
    advert(own, 0.6);
    expect(state(0.6)).toBe('master 100');
    expect(marks()).toEqual([]);
  });

  it('is silent after three intervals without an advert', () => {
    const { state } = watching();
    expect([state(3), state(3.1)]).toEqual(['unknown', 'silent']);
  });

  it('is master for three intervals after its last advert, and fell silent when the next advert was due', () => {
    const { advert, state, marks } = watching();
    advert(own, 1);
    advert(own, 2);
    expect([state(5), state(5.1)]).toEqual(['master 100', 'silent']);
    expect(marks()).toEqual(['3 fell-silent']);
    advert(own, 9);
    expect(state(9.1)).toBe('master 100');
    expect(marks()).toEqual(['9 became-master 100']);
  });

  it('is silent at once after an advert with priority 0', () => {
    const { advert, state, marks } = watching();
    advert(own, 1);
    advert(own, 1.4, { priority: 0 });
    expect(state(1.4)).toBe('silent');
    expect(marks()).toEqual(['1.4 fell-silent']);
    advert(own, 1.5, { priority: 0 });
    expect(marks()).toEqual([]);
    advert(own, 2);
    expect(marks()).toEqual(['2 became-master 100']);
  });

  it('uses the interval in the adverts', () => {
    const { advert, state } = watching();
    advert(own, 1, { intervalMs: 100 });
    expect([state(1.3), state(1.31)]).toEqual(['master 100', 'silent']);
    const slow = watching();
    slow.advert(other, 1, { intervalMs: 10_000 });
    expect([slow.state(4), slow.state(30), slow.state(31)]).toEqual(['unknown', 'unknown', 'silent']);
    const odd = watching();
    odd.advert(own, 1, { intervalMs: 0 });
    expect([odd.state(4), odd.state(4.1)]).toEqual(['master 100', 'silent']);
  });

  it('reports changes of the priority', () => {
    const { advert, state, marks } = watching();
    advert(own, 1);
    advert(own, 2, { priority: 80 });
    expect(state(2)).toBe('master 80');
    advert(own, 3, { priority: 80 });
    advert(own, 4);
    expect(marks()).toEqual(['2 priority 80', '4 priority 100']);
  });

  it('is unknown from the takeover by another source until its own next advert is due', () => {
    const { advert, state, marks } = watching();
    advert(own, 1);
    advert(other, 1.2, { priority: 110 });
    expect([state(1.2), state(2.5), state(2.6)]).toEqual(['unknown', 'unknown', 'silent']);
    expect(marks()).toEqual(['2 fell-silent']);
  });

  it('is master in parallel with another source if both keep advertising', () => {
    const { advert, state, marks } = watching();
    advert(own, 1);
    advert(other, 1.5);
    expect(state(1.6)).toBe('unknown');
    advert(own, 2);
    advert(other, 2.5);
    advert(own, 3);
    expect([state(3), state(3.4)]).toEqual(['master 100', 'master 100']);
    // The partition has healed: it receives the other source's adverts and stops.
    advert(other, 3.5);
    expect([state(4), state(4.2), state(4.5), state(4.6)]).toEqual([
      'master 100',
      'unknown',
      'unknown',
      'silent',
    ]);
    expect(marks()).toEqual(['4 fell-silent']);
  });

  it('reports that it became master in parallel with another source', () => {
    const { advert, state, marks } = watching();
    for (const atS of [1, 2, 3, 4]) advert(other, atS);
    expect(state(4)).toBe('silent');
    advert(own, 4.3);
    expect(state(4.3)).toBe('master 100');
    advert(other, 5);
    expect(state(5)).toBe('master 100');
    expect(marks()).toEqual(['4.3 became-master 100']);
  });

  it('is master again when the other source falls silent in any way', () => {
    const { advert, state } = watching();
    advert(own, 1);
    advert(other, 1.5);
    advert(other, 1.6, { priority: 0 });
    expect(state(1.7)).toBe('master 100');
  });

  it('does not take late lines for silence', () => {
    const { advert, state, marks } = watching();
    advert(own, 1);
    // All packets are read only up to 2 s, whatever the time is.
    expect(state(2)).toBe('master 100');
    for (const atS of [2, 3, 4, 5, 6]) advert(own, atS);
    expect(state(6.5)).toBe('master 100');
    expect(marks()).toEqual([]);
  });

  it('is unknown after a break, and reports no change that it did not observe', () => {
    const { watch, advert, state, marks } = watching();
    advert(own, 1);
    watch.breaks();
    expect(state(1.1)).toBe('unknown');
    watch.listens(wallMs(20_000));
    expect(state(21)).toBe('unknown');
    advert(own, 21.5, { priority: 80 });
    expect(state(21.5)).toBe('master 80');
    expect(marks()).toEqual([]);
    watch.breaks();
    watch.listens(wallMs(40_000));
    expect(state(43.1)).toBe('silent');
    expect(marks()).toEqual([]);
  });
});
