import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { asKeptRun, type KeptRun } from '../analysis/kept-run.ts';
import { DrillError, messageOf } from '../core/errors.ts';
import { figuresOfTable, runsOfTable } from '../report/table-runs.ts';
import { runFolder } from './run-folder.ts';
import { readTable, tableRuns } from './table-folder.ts';

/** A run, and its folder. */
export interface KeptFolder {
  readonly folder: string;
  readonly run: KeptRun;
}

/** The runs below some folders. */
export interface Kept {
  /** Newest first, without copies of the same run. */
  readonly runs: readonly KeptFolder[];
  /** For each scenario name, the figures that failure tables show. */
  readonly figures: ReadonlyMap<string, ReadonlySet<string>>;
  /** Folders without a readable run. */
  readonly skipped: readonly { readonly folder: string; readonly why: string }[];
}

/** Deepest level of folders. The runs of a table in a downloaded artifact are not deeper. */
const deepest = 6;
/** Largest summary.json that is read, bytes. Real ones are far smaller. */
const longestFile = 64 * 1024 * 1024;

/**
 * Finds the runs below folders. Only their summaries are read. A path may also be a summary.json or a table.json.
 * Unreadable runs are in `skipped`.
 * @throws DrillError `invalid-input` for a path that does not exist
 */
export function readKept(paths: readonly string[]): Kept {
  const reader = new KeptReader();
  for (const path of paths) {
    if (!existsSync(path))
      throw new DrillError('invalid-input', `${path}: no such file or folder`, {
        hint: 'Name the folder of a run, the folder of a table, or a folder that contains such folders.',
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

  /** Adds the runs of a folder. Returns whether it contains a run, readable or not. */
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
      this.#skip(folder, 'has no summary.json; make it with `firedrill report`');
      return true;
    }
    if (names.includes('table.json')) return this.#table(folder);
    if (depth === deepest) return false;
    // Symbolic links are skipped, because they may form a cycle.
    const below = entries
      .filter((e) => e.isDirectory() && !e.name.startsWith('.') && e.name !== 'node_modules')
      .map(({ name }) => join(folder, name))
      .sort();
    const empty = below.filter((path) => !this.visit(path, depth + 1));
    const found = empty.length < below.length;
    if (found || depth === 0) for (const path of empty) this.#skip(path, 'contains no runs');
    return found;
  }

  /** Adds a file from the command line. */
  file(path: string): void {
    if (basename(path) === 'table.json') this.#table(dirname(path));
    else this.#summary(path);
  }

  #summary(path: string): void {
    try {
      if (statSync(path).size > longestFile)
        return this.#skip(dirname(path), `summary.json is larger than ${longestFile / 1024 / 1024} MiB`);
      const run = asKeptRun(JSON.parse(readFileSync(path, 'utf8')));
      if (typeof run === 'string') this.#skip(dirname(path), `summary.json: ${run}`);
      else this.#add({ folder: dirname(path), run });
    } catch (error) {
      this.#skip(dirname(path), `summary.json cannot be read: ${messageOf(error)}`);
    }
  }

  /** Adds a table's runs. A run without a folder is added with the figures in the table. */
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
