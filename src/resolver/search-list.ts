/** A name with so many dots is asked for as it is first, where the file does not say. */
const defaultDots = 1;

/**
 * The names to ask for, in their order, where resolv.conf(5) has this text. A name with a dot at its end is asked for as it
 * is alone. `domain` and `search` exclude each other; the last one counts.
 */
export function searchList(name: string, conf: string): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  let domains: readonly string[] = [];
  let dots = defaultDots;
  for (const line of conf.split('\n')) {
    const [key, ...words] = line.trim().split(/\s+/);
    if (key === 'search') domains = words;
    if (key === 'domain') domains = words.slice(0, 1);
    if (key !== 'options') continue;
    for (const word of words) dots = Number(/^ndots:(\d+)$/.exec(word)?.[1] ?? dots);
  }
  const searched = domains.map((domain) => `${name}.${domain.replace(/\.$/, '')}`);
  return name.split('.').length - 1 >= dots ? [name, ...searched] : [...searched, name];
}
