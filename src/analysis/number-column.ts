/** Numbers in a chunk; the memory of a column is a multiple of it. */
const chunkBits = 12;
const chunkLength = 2 ** chunkBits;

/** A list of numbers that grows at its end, 8 bytes each. Growing copies nothing. */
export class NumberColumn {
  readonly #chunks: Float64Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const index = this.#length & (chunkLength - 1);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || index === 0) this.#chunks.push((chunk = new Float64Array(chunkLength)));
    chunk[index] = value;
    this.#length++;
  }

  /** Throws a RangeError for an index that the column does not have. */
  at(index: number): number {
    const value = this.#chunks[index >>> chunkBits]?.[index & (chunkLength - 1)];
    if (value === undefined || index >= this.#length) throw new RangeError(`no number at ${index}`);
    return value;
  }
}

/** Sorts indexes in place by a number of each. Those with equal numbers keep their order. Most are in order as they come. */
export function sortIndexes(indexes: Uint32Array, of: (index: number) => number): Uint32Array {
  let before = -Infinity;
  for (const index of indexes) {
    const value = of(index);
    if (value < before) return indexes.sort((a, b) => of(a) - of(b));
    before = value;
  }
  return indexes;
}
