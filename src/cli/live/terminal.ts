import { createLogUpdate } from 'log-update';
import { messageOf } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { type Line, type Abilities, paint, type Size, widthOf } from './line.ts';

/** A terminal to draw on. */
export interface Terminal {
  size(): Size;
  /** Takes what it can at once, and says how many bytes that were; never waits. Throws when it is gone. */
  write(bytes: Uint8Array): number;
}

/** What is shown at the moment, made anew for each frame. */
export type View = (size: Size) => readonly Line[];

/** The end of the terminal: lines that stay, and below them a block that is redrawn. */
export interface Live {
  /** A text that stays, in lines of its own. */
  print(text: string): void;
  /** Shows a block until the function that it returns is called; the latest of several is the one. */
  show(view: View): () => void;
  /** What takes the block away and writes the lines that are due, for whoever is about to write there and waits for the terminal. */
  handOver(): Uint8Array;
  /** Ends it: no block any more, and no later than `maxMs` from now. */
  end(maxMs: number): Promise<void>;
}

/** All that log-update asks of a stream. */
type UsedOfStream = Pick<NodeJS.WriteStream, 'columns' | 'rows'> & { write(text: string): boolean };

/** Ten frames a second. */
const frameMs = 100;
/** Lines that a terminal which takes none leaves waiting; of more, the oldest are left out. */
const mostLines = 500;
const mostChars = 4000;
/** While these hold, a terminal shows a frame as a whole (DEC private mode 2026); others pass over them. */
const beginFrame = '\u001B[?2026h';
const endFrame = '\u001B[?2026l';

/**
 * Draws on a terminal, at most ten times a second. What the terminal does not take at once is kept for later, and frames
 * are left out meanwhile: it may be held (Ctrl-S), slow or gone without anybody waiting for it. The cursor is never hidden and
 * no mode is switched, so that nothing needs to be put back, however this process ends.
 */
export function createLive(terminal: Terminal, abilities: Abilities): Live {
  const views: View[] = [];
  let lines: string[] = [];
  let leftOut = 0;
  /** Bytes that the terminal has not taken yet. */
  let pending: Uint8Array = new Uint8Array();
  let isGone = false;
  let drawnMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let out = '';
  /** Widths of the block's lines as they stand on the screen. */
  let drawn: readonly number[] = [];
  let drawnSize: Size = { columns: 0, rows: 0 };
  const log = createLogUpdate(
    {
      get columns() {
        return terminal.size().columns;
      },
      get rows() {
        return terminal.size().rows;
      },
      write(text: string) {
        out += text;
        return true;
      },
    } satisfies UsedOfStream as unknown as NodeJS.WritableStream,
    { showCursor: true },
  );

  const lose = (): void => {
    isGone = true;
    pending = new Uint8Array();
    lines = [];
  };

  /** False while something is left. */
  const flush = (): boolean => {
    try {
      while (pending.length > 0) {
        const taken = terminal.write(pending);
        if (taken === 0) return false;
        pending = pending.subarray(taken);
      }
    } catch {
      lose();
    }
    return true;
  };

  /** A narrower terminal has broken the block's lines in two, a lower one has moved them: log-update would take away others. */
  const eraseMoved = ({ columns, rows }: Size): void => {
    if (drawn.length === 0 || (columns >= drawnSize.columns && rows >= drawnSize.rows)) return;
    const broken = drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    log.done();
    out += `\u001B[${broken}A\r\u001B[J`;
    drawn = [];
  };

  /** The block's lines for the screen, and their widths. A picture that cannot be made ends nothing but itself. */
  const blockOf = (
    view: View | undefined,
    { columns, rows }: Size,
  ): { texts: string[]; widths: number[] } => {
    try {
      // A line as wide as the terminal would move the cursor on in some.
      const size = { columns: Math.max(1, columns - 1), rows };
      const block = (view?.(size) ?? []).slice(0, Math.max(0, rows - 1));
      const plain = block.map((line) => line.map(({ text }) => text).join(''));
      return {
        texts: block.map((line) => paint(line, size.columns, abilities)),
        widths: plain.map((text) => Math.min(size.columns, widthOf(text))),
      };
    } catch (error) {
      views.length = 0;
      lines.push(printable(`the live view broke: ${messageOf(error)}`, mostChars));
      return { texts: [], widths: [] };
    }
  };

  /** What takes the terminal from what it has got, or will have, to the present lines and block. */
  const compose = (view: View | undefined): Uint8Array => {
    const size = terminal.size();
    const { texts, widths } = blockOf(view, size);
    eraseMoved(size);
    if (lines.length > 0 || texts.length === 0) {
      if (drawn.length > 0) log.clear();
      const told = leftOut === 0 ? [] : [`(${leftOut} lines left out: the terminal did not take them)`];
      out += [...told, ...lines].map((line) => `${line}\n`).join('');
      lines = [];
      leftOut = 0;
      drawn = [];
    }
    if (texts.length > 0) {
      log(texts.join('\n'));
      drawn = widths;
      drawnSize = size;
    }
    const frame = out === '' ? out : `${beginFrame}${out}${endFrame}`;
    out = '';
    return Buffer.from(frame);
  };

  const draw = (view: View | undefined): void => {
    if (isGone || !flush()) return;
    drawnMs = performance.now();
    pending = compose(view);
    flush();
  };

  const tick = (): void => {
    draw(views.at(-1));
    if (views.length === 0 && lines.length === 0 && pending.length === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  const keepTicking = (): void => {
    // The run keeps this process alive, not its picture.
    timer ??= setInterval(tick, frameMs).unref();
  };

  return {
    print(text) {
      if (isGone) return;
      lines.push(...text.split('\n').map((line) => printable(line, mostChars)));
      if (lines.length > mostLines) leftOut += lines.splice(0, lines.length - mostLines).length;
      if (views.length === 0 || performance.now() - drawnMs >= frameMs) draw(views.at(-1));
      keepTicking();
    },
    show(view) {
      views.push(view);
      keepTicking();
      return () => {
        const at = views.indexOf(view);
        if (at < 0) return;
        views.splice(at, 1);
        draw(views.at(-1));
      };
    },
    handOver() {
      const rest = Buffer.concat([pending, compose(undefined)]);
      pending = new Uint8Array();
      return isGone ? new Uint8Array() : rest;
    },
    async end(maxMs) {
      views.length = 0;
      const untilMs = performance.now() + maxMs;
      for (;;) {
        draw(undefined);
        if ((pending.length === 0 && lines.length === 0) || performance.now() >= untilMs) break;
        await new Promise((resolve) => void setTimeout(resolve, frameMs / 4));
      }
      clearInterval(timer);
    },
  };
}
