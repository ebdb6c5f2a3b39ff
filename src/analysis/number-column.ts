/** Numbers per chunk; a column's memory is a multiple of it. */
const chunkBits = 12;
const chunkLength = 2 ** chunkBits;

/** A list of numbers of type `N` that grows at its end, 8 bytes each. It grows without copying. */
export class NumberColumn<N extends number = number> {
  readonly #chunks: Float64Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: N): void {
    const index = this.#length & (chunkLength - 1);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || index === 0) this.#chunks.push((chunk = new Float64Array(chunkLength)));
    chunk[index] = value;
    this.#length++;
  }

  /** Throws a RangeError if the column has no such index. */
  at(index: number): N {
    const value = this.#chunks[index >>> chunkBits]?.[index & (chunkLength - 1)];
    if (value === undefined || index >= this.#length) throw new RangeError(`no number at ${index}`);
    return value as N;
  }
}

/** Sorts indexes in place by a number of each; stable. Fast if they are sorted already, as most are. */
export function sortIndexes(indexes: Uint32Array, of: (index: number) => number): Uint32Array {
  let before = -Infinity;
  for (const index of indexes) {
    const value = of(index);
    if (value < before) return indexes.sort((a, b) => of(a) - of(b));
    before = value;
  }
  return indexes;
}
