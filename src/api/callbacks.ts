/** Functions of the caller. An error in one of them cannot harm the drill. */
export interface Callbacks {
  /** The same function for a part of the drill: it never throws. After an error, no function of the caller is called again. */
  guard<T>(callback: ((value: T) => unknown) | undefined): (value: T) => void;
  /** Throws the first error that a function has thrown, or with which its promise was rejected, if there was one. */
  throwFirst(): void;
}

/** Guards the functions of one drill. */
export function guardCallbacks(): Callbacks {
  // In an object, because a function may throw `undefined`.
  let first: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => void (first ??= { error });
  return {
    guard: (callback) => (value) => {
      if (callback === undefined || first !== undefined) return;
      try {
        // An async function is not awaited. Its rejection would otherwise end the process, and leave the faults open.
        Promise.resolve(callback(value)).catch(fail);
      } catch (error) {
        fail(error);
      }
    },
    throwFirst() {
      if (first !== undefined) throw first.error;
    },
  };
}
