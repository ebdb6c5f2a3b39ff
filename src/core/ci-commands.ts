/**
 * Changes output so that no CI runner finds a command in it. The output contains text of the target, and
 * runners execute any line that looks like a command. GitHub: `::name …::` at the start of a line and
 * `##[name …]` anywhere (actions/runner, ActionCommand.cs), which set outputs and mask secrets. Azure:
 * `##vso[…]`. TeamCity: `##teamcity[…]`. A space separates their signs. In JSON a sign is written as its
 * escape instead, which leaves the parsed value unchanged.
 */
export function escapeCiCommands(text: string): string {
  const isJson = /^[[{]/.test(text);
  return text
    .replaceAll(/#(?=#\w*\[)/g, isJson ? String.raw`\u0023` : '# ')
    .replaceAll(/^([^\S\n]*):(?=:[a-z][\w-]*(?: |::))/gim, '$1: ');
}
