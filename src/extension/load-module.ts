import { createRequire, registerHooks } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ExtensionModule } from '../core/extension-module.ts';
import { codeExtension } from '../installation.ts';
import { extensionOf, shapeProblem } from './check-shape.ts';
import type { Extension } from './define.ts';

/**
 * The file of an entry of `extensions`.
 * @param folder the folder of the target file
 * @throws DrillError `invalid-input` if there is no such file or package
 */
export function resolveModule(entry: string, folder: string): string {
  if (/^\.{0,2}\//.test(entry)) return resolve(folder, entry);
  try {
    return createRequire(join(resolve(folder), 'target.yaml')).resolve(entry);
  } catch (error) {
    throw cannotLoad(
      entry,
      error,
      `install the package (\`npm install --save-dev ${entry}\`) in ${folder} or in a folder above it; a path begins with \`./\``,
    );
  }
}

/**
 * Loads the module of an extension. It is loaded with `require`, which is synchronous, so it must have no top-level
 * `await`. Node.js loads a module once and keeps it.
 * @throws DrillError `invalid-input` if it cannot be loaded, or is no extension
 */
export function loadModule({ entry, file }: ExtensionModule): Extension {
  const exported = defaultExport(entry, file);
  const problem = shapeProblem(exported);
  if (problem !== undefined)
    throw new DrillError('invalid-input', `the extension ${entry} is not usable: ${problem}`);
  return extensionOf(exported as object);
}

/** The default export of a module. @throws DrillError `invalid-input` if it cannot be loaded */
export function defaultExport(entry: string, file: string): unknown {
  const path = resolve(file);
  const loaded = withOwnFiredrill(() => withoutStdout(() => requireModule(entry, path)));
  return typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : loaded;
}

function requireModule(entry: string, path: string): unknown {
  try {
    return createRequire(import.meta.url)(path) as unknown;
  } catch (error) {
    throw cannotLoad(entry, error, fixFor(error, path));
  }
}

/** The edit for an error of Node.js's loader. */
function fixFor(error: unknown, path: string): string {
  switch (Reflect.get(Object(error), 'code')) {
    case 'ERR_REQUIRE_ASYNC_MODULE':
      return 'move its top-level `await` into a method of the kind';
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'a package must ship JavaScript: compile it before it is published';
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return `this Node.js (${process.versions.node}) cannot load TypeScript: use Node.js 22.18 or newer, or compile the module to JavaScript`;
    case 'MODULE_NOT_FOUND':
    case 'ERR_MODULE_NOT_FOUND':
      return `make sure that ${path} and everything that it imports exist`;
    default:
      return isReadAsCommonJs(error)
        ? `put \`{ "type": "module" }\` into ${join(dirname(path), 'package.json')}: the present package.json makes this file a CommonJS module`
        : `run \`node ${path}\` to see why`;
  }
}

/** Whether Node.js read an ES module as CommonJS, because the nearest package.json has `"type": "commonjs"`. */
function isReadAsCommonJs(error: unknown): boolean {
  return (
    error instanceof SyntaxError &&
    /^(Cannot use import statement outside a module|Unexpected token 'export')/.test(error.message)
  );
}

function cannotLoad(entry: string, error: unknown, fix: string): DrillError {
  // Node.js adds a stack of requires to some messages.
  const [first = ''] = messageOf(error).split('\n');
  return new DrillError('invalid-input', `the module ${entry} cannot be loaded: ${first}; ${fix}`, {
    cause: error,
  });
}

/**
 * Sends to standard error what a module prints while it is loaded: standard output is for data, such as JSON.
 */
function withoutStdout<T>(work: () => T): T {
  const own = Object.getOwnPropertyDescriptor(process.stdout, 'write');
  process.stdout.write = process.stderr.write.bind(process.stderr);
  try {
    return work();
  } finally {
    if (own === undefined) Reflect.deleteProperty(process.stdout, 'write');
    else Object.defineProperty(process.stdout, 'write', own);
  }
}

/**
 * Resolves `firedrill` in the modules that `work` loads to this copy, so that they need no copy of their own next to
 * them, and share its classes.
 */
function withOwnFiredrill<T>(work: () => T): T {
  const own = new URL(`./extension-api.${codeExtension}`, import.meta.url).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'firedrill' ? { url: own, shortCircuit: true } : next(specifier, context),
  });
  try {
    return work();
  } finally {
    hooks.deregister();
  }
}

/** The folder of a target file. */
export function folderOf(target: string): string {
  return dirname(resolve(target));
}
