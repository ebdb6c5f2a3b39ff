import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './product-files.ts';
import { type SourceMap, thinSourceMap } from './thin-source-map.ts';

/** The files of `dist` that something outside of them names. All other files there are parts that these share. */
const entries = {
  'control-program': 'src/engine/control-program.ts',
  'end-process': 'src/cli/end-process.ts',
  'extension-api': 'src/extension/extension-api.ts',
  index: 'src/index.ts',
  installation: 'src/installation.ts',
  main: 'src/cli/main.ts',
  'prober-worker': 'src/engine/prober-worker.ts',
};

export interface Bundle {
  /** Text of each file of `dist`, by its name. */
  readonly files: ReadonlyMap<string, string>;
  /** Packages whose code is in these files, as paths from the root, such as `node_modules/yaml`; sorted. */
  readonly packages: readonly string[];
}

/**
 * Compiles `src` into a few files, together with the packages that it imports and that are no `dependencies` in package.json.
 * All files are in one folder, so that `import.meta` has the same meaning in each.
 */
export async function bundle(): Promise<Bundle> {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const installed = Object.keys(dependencies);
  const build = await rolldown({
    cwd: root,
    input: entries,
    platform: 'node',
    external: (id) => installed.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog(level, log, handler) {
      if (level === 'warn') throw new Error(`cannot bundle: ${log.message}`);
      handler(level, log);
    },
  });
  try {
    const { output } = await build.generate({
      format: 'esm',
      sourcemap: 'hidden',
      // Names of classes and functions are in messages and in stack traces.
      keepNames: true,
      entryFileNames: '[name].js',
      chunkFileNames: 'shared-[hash].js',
    });
    const files = new Map<string, string>();
    const packages = new Set<string>();
    for (const file of output) {
      // A source map is also a property of its code.
      if (file.type !== 'chunk') continue;
      for (const module of file.moduleIds) {
        const folder = packageFolder(relative(root, module));
        if (folder !== undefined) packages.add(folder);
      }
      if (file.map === null) files.set(file.fileName, file.code);
      else {
        files.set(file.fileName, `${file.code}//# sourceMappingURL=${file.fileName}.map\n`);
        files.set(`${file.fileName}.map`, JSON.stringify(thinSourceMap(packageMap(file.map))));
      }
    }
    return { files, packages: [...packages].sort() };
  } finally {
    await build.close();
  }
}

/** The source map with paths from `dist`, and without the text of other packages. */
function packageMap(map: SourceMap): SourceMap {
  const sources = map.sources.map((path) => `../${relative(root, join(root, 'dist', path))}`);
  const sourcesContent = map.sourcesContent?.map((text, i) =>
    packageFolder(sources[i] ?? '') === undefined ? text : null,
  );
  return { ...map, sources, sourcesContent };
}

/** `node_modules/a/node_modules/@b/c` of `node_modules/a/node_modules/@b/c/lib/d.js`; undefined for a file of `src`. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}
