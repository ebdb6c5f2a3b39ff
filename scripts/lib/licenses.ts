import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** SPDX identifiers of licenses whose packages may be shipped. Each lets a user use, change, and pass on the whole. */
const allowedLicenses: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  // Whoever gets such a package in a bundle must be told where its source is: noticesText says so.
  'MPL-2.0',
  'Unlicense',
]);

/** A package that a user of firedrill gets. */
export interface ShippedPackage {
  /** Its folder, from the folder of package-lock.json, such as `node_modules/yaml`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** SPDX expression from its package.json; undefined if there is none. */
  readonly license: string | undefined;
  /** Address of its source; undefined if its package.json has none. */
  readonly source: string | undefined;
  /** The text of its license; undefined if the package has none. */
  readonly text: string | undefined;
}

interface LockEntry {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  /** A folder of this repository. Its own entry has the rest. */
  readonly link?: boolean;
}

interface Manifest {
  readonly repository?: string | { readonly url: string };
  readonly license?: string | { readonly type: string };
  /** The form before SPDX. */
  readonly licenses?: readonly { readonly type: string }[];
}

/**
 * The production packages of a folder with package-lock.json and node_modules, and those of `bundled` (paths), which are
 * development packages there. Optional packages that are not installed are left out.
 * @throws Error if a package that is not optional is not installed
 */
export function shippedPackages(folder: string, bundled: readonly string[] = []): ShippedPackage[] {
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockEntry>>;
  };
  return Object.entries(lock.packages).flatMap(([path, { version, dev, optional, link }]) => {
    if (path === '' || link === true || (dev === true && !bundled.includes(path))) return [];
    const installed = join(folder, path);
    if (!existsSync(join(installed, 'package.json'))) {
      if (optional === true) return [];
      throw new Error(`cannot read the license of ${path}: it is not installed; hint: run \`npm ci\``);
    }
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return [{ path, name, version, ...termsOf(installed), text: licenseText(installed) }];
  });
}

/** What is wrong with the licenses of these packages, a line for each. */
export function licenseProblems(packages: readonly ShippedPackage[]): string[] {
  return packages.flatMap(({ name, version, license, source, text }) => [
    ...(license !== undefined && isAllowed(license)
      ? []
      : [
          `${name}@${version}: the license ${license ?? '(none)'} is not on the list of scripts/lib/licenses.ts`,
        ]),
    ...(license === 'MPL-2.0' && source === undefined
      ? [
          `${name}@${version}: MPL-2.0 requires the address of the source, and package.json has no \`repository\``,
        ]
      : []),
    ...(text === undefined ? [`${name}@${version}: the package has no text of its license`] : []),
  ]);
}

/** One text with the licenses of these packages, in the order of their names. Equal texts are not merged: names differ in them. */
export function noticesText(packages: readonly ShippedPackage[]): string {
  const parts = [...packages]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      ({ name, version, license, source, text }) =>
        `${name} ${version} (${license ?? 'no license'})${source === undefined ? '' : `\n${source}`}\n\n${text ?? ''}`,
    );
  return `${parts.map((part) => part.trim()).join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}

/** An expression with `OR` is allowed if one side is, an expression with `AND` if both are. */
function isAllowed(expression: string): boolean {
  const inner = expression.replace(/^\((.*)\)$/, '$1');
  if (inner.includes(' OR ')) return inner.split(' OR ').some(isAllowed);
  return inner.split(' AND ').every((one) => allowedLicenses.has(one));
}

function termsOf(folder: string): Pick<ShippedPackage, 'license' | 'source'> {
  const { license, licenses, repository } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Manifest;
  const source = typeof repository === 'object' ? repository.url : repository;
  if (license !== undefined) return { license: typeof license === 'string' ? license : license.type, source };
  return { license: licenses?.map(({ type }) => type).join(' OR '), source };
}

/** The file LICENSE or the like, or the section of that name in the README. */
function licenseText(folder: string): string | undefined {
  const files = readdirSync(folder);
  const own = files.find((name) => /^(?:licen[cs]e|copying|unlicense)(?:[.-]|$)/i.test(name));
  if (own !== undefined) return readFileSync(join(folder, own), 'utf8');
  const readme = files.find((name) => /^readme\.md$/i.test(name));
  if (readme === undefined) return undefined;
  const section = /^#+ *licen[cs]e *\n([\s\S]*?)(?=^#|(?![\s\S]))/im.exec(
    readFileSync(join(folder, readme), 'utf8'),
  )?.[1];
  return section?.includes('Permission is hereby granted') === true ? section.trim() : undefined;
}
