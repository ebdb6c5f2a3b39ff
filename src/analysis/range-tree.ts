import type { RowRange } from '../core/row-ranges.ts';
import { NumberColumn } from './number-column.ts';

/** The node of the empty list. */
const emptyList = -1;

/**
 * Lists of ranges of row numbers. Lists with the same first ranges share them: a node is a range with all ranges before it.
 * So memory grows with the changes between lists and not with their lengths.
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
   * Folds each list of ranges into a state, from the first range on. Returns a number per node, in the order of the nodes.
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
