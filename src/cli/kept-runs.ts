import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asKeptRun, type KeptRun } from '../analysis/kept-run.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import { figuresOfTable, runsOfTable } from '../report/table-runs.ts';
import { runFolder } from './run-folder.ts';
import { readTable, tableRuns } from './table-folder.ts';

/** A run and where it is kept. */
export interface KeptFolder {
  readonly folder: string;
  readonly run: KeptRun;
}

/** What is kept below some folders. */
export interface Kept {
  /** The newest first; a run that is there twice (a copy, say) is there once. */
  readonly runs: readonly KeptFolder[];
  /** Figures that failure tables show of a scenario, by its name. */
  readonly figures: ReadonlyMap<string, ReadonlySet<string>>;
  /** Folders that hold something else, or something broken. */
  readonly skipped: readonly { readonly folder: string; readonly why: string }[];
}

/** Deeper than a table's runs in a downloaded artifact nobody keeps any. */
const deepest = 6;
/** No summary is as long, bytes. */
const longestFile = 64 * 1024 * 1024;

/**
 * The runs below folders: their summaries are all that is read, and all that there is of a history. A folder, or the
 * summary.json or table.json in it, may be named itself. What cannot be read is told in `skipped`.
 * @throws DrillError `invalid-input` for a path where nothing is
 */
export function readKept(paths: readonly string[]): Kept {
  const reader = new KeptReader();
  for (const path of paths) {
    if (!existsSync(path))
      throw new DrillError('invalid-input', `${path}: no such file or folder`, {
        mend: 'Name the folder of a run, of a table, or of several of them.',
      });
    if (statSync(path).isDirectory()) reader.visit(path, 0);
    else reader.file(path);
  }
  return reader.kept();
}

class KeptReader {
  readonly #runs = new Map<string, KeptFolder>();
  readonly #figures = new Map<string, Set<string>>();
  readonly #skipped: { folder: string; why: string }[] = [];

  kept(): Kept {
    const runs = [...this.#runs.values()].sort(
      (a, b) => Date.parse(b.run.startedAt) - Date.parse(a.run.startedAt),
    );
    return { runs, figures: this.#figures, skipped: this.#skipped };
  }

  /** Takes what a folder holds. Returns whether there was a run in it, readable or not. */
  visit(folder: string, depth: number): boolean {
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      this.#skip(folder, messageOf(error));
      return true;
    }
    const names = entries.map(({ name }) => name);
    if (names.includes('summary.json')) {
      this.#summary(join(folder, 'summary.json'));
      return true;
    }
    if (names.includes('events.ndjson')) {
      this.#skip(folder, 'has no summary.json; `firedrill report` makes it');
      return true;
    }
    if (names.includes('table.json')) return this.#table(folder);
    if (depth === deepest) return false;
    // Links lead elsewhere, perhaps in a circle.
    const below = entries
      .filter((e) => e.isDirectory() && !e.name.startsWith('.') && e.name !== 'node_modules')
      .map(({ name }) => join(folder, name))
      .sort();
    const empty = below.filter((path) => !this.visit(path, depth + 1));
    const found = empty.length < below.length;
    if (found || depth === 0) for (const path of empty) this.#skip(path, 'no run is in it');
    return found;
  }

  /** Takes a file that was named itself. */
  file(path: string): void {
    if (basename(path) === 'table.json') this.#table(dirname(path));
    else this.#summary(path);
  }

  #summary(path: string): void {
    try {
      if (statSync(path).size > longestFile) return this.#skip(dirname(path), 'summary.json is too long');
      const run = asKeptRun(JSON.parse(readFileSync(path, 'utf8')));
      if (typeof run === 'string') this.#skip(dirname(path), `summary.json: ${run}`);
      else this.#add({ folder: dirname(path), run });
    } catch (error) {
      this.#skip(dirname(path), `summary.json cannot be read: ${messageOf(error)}`);
    }
  }

  /** A table's runs; one whose folder was not kept is as much as the table says of it. */
  #table(folder: string): true {
    const within = join(folder, tableRuns);
    if (existsSync(within)) this.visit(within, deepest - 1);
    try {
      const table = readTable(folder);
      for (const [scenario, figures] of figuresOfTable(table))
        this.#figures.set(scenario, new Set([...(this.#figures.get(scenario) ?? []), ...figures]));
      for (const run of runsOfTable(table))
        if (!existsSync(runFolder(within, run.runId))) this.#add({ folder, run });
    } catch (error) {
      this.#skip(folder, messageOf(error));
    }
    return true;
  }

  #add(kept: KeptFolder): void {
    const key = `${kept.run.runId} ${kept.run.startedAt}`;
    if (!this.#runs.has(key)) this.#runs.set(key, kept);
  }

  #skip(folder: string, why: string): void {
    this.#skipped.push({ folder, why });
  }
}
