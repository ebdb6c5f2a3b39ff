/** Of what a piped command says on standard error, the last so many characters are kept. */
export const pipeStderrLimit = 2000;

/** The end of a pipe: it comes once, and whoever listens late hears of it, too. */
export interface PipeEnd {
  /** Whether it has come. */
  readonly isOver: boolean;
  /** It comes now, for this reason; nothing where it came before. */
  readonly end: (why: string) => void;
  /** Takes the one listener; see `CommandPipe.onEnd`. */
  readonly onEnd: (listener: (why: string) => void) => void;
}

/** The end of a pipe that is still open. */
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
