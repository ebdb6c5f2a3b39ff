import type { RowRange } from '../core/row-ranges.ts';
import { NumberColumn } from './number-column.ts';

/** The node of the empty list. */
const emptyList = -1;

/**
 * Lists of ranges of row numbers. Lists that begin with the same ranges share them: a node stands for a range with all that come
 * before it, so that the memory grows with the changes between lists and not with the lists' lengths.
 */
export class RangeTree {
  readonly #parents = new NumberColumn();
  readonly #froms = new NumberColumn();
  readonly #tos = new NumberColumn();
  readonly #nodes = new Map<string, number>();

  /** The node of a list of ranges in ascending order. */
  add(ranges: Iterable<Pick<RowRange, 'from' | 'to'>>): number {
    let node = emptyList;
    for (const { from, to } of ranges) node = this.#child(node, from, to);
    return node;
  }

  #child(parent: number, from: number, to: number): number {
    const key = `${parent} ${from} ${to}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node = this.#parents.length;
    this.#parents.push(parent);
    this.#froms.push(from);
    this.#tos.push(to);
    this.#nodes.set(key, node);
    return node;
  }

  /**
   * What becomes of a state by the ranges of each list, one range after another from the first on: a number for each node, in the
   * order of the nodes.
   */
  fold(start: number, step: (state: number, from: number, to: number) => number): Float64Array {
    const states = new Float64Array(this.#parents.length);
    for (let node = 0; node < states.length; node++) {
      const parent = this.#parents.at(node);
      const before = parent === emptyList ? start : (states[parent] ?? start);
      states[node] = step(before, this.#froms.at(node), this.#tos.at(node));
    }
    return states;
  }
}
