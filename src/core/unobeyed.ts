/**
 * Output in which no CI runner finds a command. What a target says stands in it, and runners obey any line that looks like one:
 * GitHub's `::name …::` at its start and `##[name …]` anywhere (actions/runner, ActionCommand.cs: outputs are set that way, and
 * secrets masked), Azure's `##vso[…]`, TeamCity's `##teamcity[…]`. A space comes between their signs; in JSON a sign is
 * written as its number, which changes nothing for who reads it.
 */
export function unobeyed(text: string): string {
  const isJson = /^[[{]/.test(text);
  return text
    .replaceAll(/#(?=#\w*\[)/g, isJson ? String.raw`\u0023` : '# ')
    .replaceAll(/^([^\S\n]*):(?=:[a-z][\w-]*(?: |::))/gim, '$1: ');
}
