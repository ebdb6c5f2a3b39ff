/** The last characters of a piped command's standard error that are kept. */
export const pipeStderrLimit = 2000;

/** The end of a pipe. It happens once, and a listener that is added later is called, too. */
export interface PipeEnd {
  /** Whether the pipe has ended. */
  readonly isOver: boolean;
  /** Ends the pipe with this reason. A second call does nothing. */
  readonly end: (why: string) => void;
  /** Sets the only listener; see `CommandPipe.onEnd`. */
  readonly onEnd: (listener: (why: string) => void) => void;
}

/** Creates the end of an open pipe. */
export function pipeEnd(): PipeEnd {
  let listening: ((why: string) => void) | undefined;
  let ended: string | undefined;
  return {
    get isOver() {
      return ended !== undefined;
    },
    end: (why) => {
      if (ended !== undefined) return;
      ended = why;
      listening?.(why);
    },
    onEnd: (listener) => {
      listening = listener;
      if (ended !== undefined) listener(ended);
    },
  };
}
