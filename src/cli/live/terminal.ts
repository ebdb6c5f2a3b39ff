import { createLogUpdate } from 'log-update';
import { messageOf } from '../../core/errors.ts';
import { messageText } from '../../core/message-text.ts';
import type { DurationMs } from '../../core/time.ts';
import { type Line, type Abilities, paint, type Size, widthOf } from './line.ts';

/** A terminal. */
export interface Terminal {
  size(): Size;
  /** Writes without blocking; returns the number of bytes that were accepted. Throws if the terminal is closed. */
  write(bytes: Uint8Array): number;
}

/** The content of the block; called for each frame. */
export type View = (size: Size) => readonly Line[];

/** The live view: lines that stay, and below them a block that is redrawn. */
export interface Live {
  /** Prints a text as lines that stay. */
  print(text: string): void;
  /** Shows a block until the returned function is called. Of multiple blocks, the latest is visible. */
  show(view: View): () => void;
  /** Returns the bytes that remove the block and write the pending lines, for a caller that then writes to the terminal itself. */
  handOver(): Uint8Array;
  /** Ends the live view: removes the block and writes the pending lines. Resolves after at most `maxMs`. */
  end(maxMs: DurationMs): Promise<void>;
}

/** The parts of a stream that log-update uses. */
type UsedOfStream = Pick<NodeJS.WriteStream, 'columns' | 'rows'> & { write(text: string): boolean };

/** Ten frames a second. */
const frameMs = 100;
/** Most pending lines for a blocked terminal. Beyond that, the oldest are dropped. */
const mostLines = 500;
const mostChars = 4000;
/** Synchronized output (DEC private mode 2026): the terminal shows a frame as a whole. Other terminals ignore these sequences. */
const beginFrame = '\u001B[?2026h';
const endFrame = '\u001B[?2026l';

/**
 * Draws on a terminal, at most ten times a second. Bytes that the terminal does not accept at once are kept for later, and
 * frames are skipped meanwhile. So a blocked (Ctrl-S), slow, or closed terminal never delays the drill. The cursor stays
 * visible and no terminal mode changes, so there is nothing to restore when this process ends.
 */
export function createLive(terminal: Terminal, abilities: Abilities): Live {
  const views: View[] = [];
  let lines: string[] = [];
  let leftOut = 0;
  /** Bytes that the terminal has not accepted yet. */
  let pending: Uint8Array = new Uint8Array();
  let isGone = false;
  let drawnMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let soon: NodeJS.Immediate | undefined;
  let out = '';
  /** Widths of the block's lines on the screen. */
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

  /** Writes pending bytes; returns false if some are left. */
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

  /** Erases the block after the terminal was made smaller, which wraps or moves its lines. log-update would erase other lines. */
  const eraseMoved = ({ columns, rows }: Size): void => {
    if (drawn.length === 0 || (columns >= drawnSize.columns && rows >= drawnSize.rows)) return;
    const broken = drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    log.done();
    out += `\u001B[${broken}A\r\u001B[J`;
    drawn = [];
  };

  /** The block's lines for the screen, and their widths. An exception in a view ends only the live view. */
  const blockOf = (
    view: View | undefined,
    { columns, rows }: Size,
  ): { texts: string[]; widths: number[] } => {
    try {
      // On some terminals, a line of the full width moves the cursor to the next line.
      const size = { columns: Math.max(1, columns - 1), rows };
      const block = (view?.(size) ?? []).slice(0, Math.max(0, rows - 1));
      const plain = block.map((line) => line.map(({ text }) => text).join(''));
      return {
        texts: block.map((line) => paint(line, size.columns, abilities)),
        widths: plain.map((text) => Math.min(size.columns, widthOf(text))),
      };
    } catch (error) {
      views.length = 0;
      lines.push(messageText(`the live view failed: ${messageOf(error)}`, mostChars));
      return { texts: [], widths: [] };
    }
  };

  /** The bytes that update the terminal to the present lines and block. */
  const compose = (view: View | undefined): Uint8Array => {
    const size = terminal.size();
    const { texts, widths } = blockOf(view, size);
    eraseMoved(size);
    if (lines.length > 0 || texts.length === 0) {
      if (drawn.length > 0) log.clear();
      const reported = leftOut === 0 ? [] : [`(${leftOut} lines dropped: the terminal did not accept them)`];
      out += [...reported, ...lines].map((line) => `${line}\n`).join('');
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

  /**
   * Draws the visible block soon. Node learns of a new size of the terminal between timers and immediates. A frame for the old
   * size would erase other lines than those of the block.
   */
  const drawSoon = (): void => {
    soon ??= setImmediate(() => {
      soon = undefined;
      draw(views.at(-1));
    });
  };

  const tick = (): void => {
    if (views.length > 0) drawSoon();
    else draw(undefined);
    if (views.length === 0 && lines.length === 0 && pending.length === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  const keepTicking = (): void => {
    // The live view must not keep this process alive.
    timer ??= setInterval(tick, frameMs).unref();
  };

  return {
    print(text) {
      if (isGone) return;
      lines.push(...text.split('\n').map((line) => messageText(line, mostChars)));
      if (lines.length > mostLines) leftOut += lines.splice(0, lines.length - mostLines).length;
      if (views.length === 0) draw(undefined);
      else if (performance.now() - drawnMs >= frameMs) drawSoon();
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
      clearImmediate(soon);
    },
  };
}
