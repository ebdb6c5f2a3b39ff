/**
 * The section of a version in a changelog with `## VERSION` headings (or `## [VERSION] - DATE`), without its heading. Links to
 * files of the repository get `base` before their path, because the text is shown elsewhere.
 * @throws Error if the version has no section, or an empty one
 */
export function changelogSection(changelog: string, version: string, base: string): string {
  const parts = changelog.split(/^## /m).slice(1);
  const part = parts.find((text) => headingVersion(text) === version);
  if (part === undefined) {
    const known = parts.map(headingVersion).join(', ');
    throw new Error(`CHANGELOG.md has no section ${version}, only ${known}; hint: rename "Unreleased"`);
  }
  const section = part.replace(/^.*\n/, '').trim();
  if (section === '') throw new Error(`CHANGELOG.md: the section ${version} is empty`);
  return `${section.replaceAll(/\]\((?!\w+:|#)([^)\s]+)\)/g, `](${base}$1)`)}\n`;
}

function headingVersion(part: string): string {
  return part.replace(/\n[\s\S]*/, '').replace(/^\[?([^\]\s]+).*$/, '$1');
}

/**
 * Why a tag cannot be released; undefined if it can.
 * @param tag such as `v1.2.3`
 * @param version that of package.json
 */
export function tagProblem(tag: string, version: string): string | undefined {
  return tag === `v${version}`
    ? undefined
    : `the tag is ${tag}, and package.json has version ${version}: expected the tag v${version}`;
}
