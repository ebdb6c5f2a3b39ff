/** The parts of /etc/os-release that decide how missing software is installed. */
export interface OsRelease {
  /** e.g. `debian`, `ubuntu`; `unknown` without the file. */
  readonly id: string;
  /** Related distributions (ID_LIKE). */
  readonly idLike: readonly string[];
  /** e.g. `bookworm`; undefined if the file has none. */
  readonly codename: string | undefined;
  readonly prettyName: string;
}

/** Parses the text of /etc/os-release (os-release(5): shell-like assignments, values maybe quoted). */
export function parseOsRelease(text: string): OsRelease {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (match?.[1] !== undefined && match[2] !== undefined) values.set(match[1], unquote(match[2]));
  }
  const id = values.get('ID') ?? 'unknown';
  return {
    id,
    idLike: (values.get('ID_LIKE') ?? '').split(/\s+/).filter((word) => word !== ''),
    codename: values.get('VERSION_CODENAME'),
    prettyName: values.get('PRETTY_NAME') ?? id,
  };
}

/** Whether this is Debian, Ubuntu, or a related distribution with apt: the only ones that firedrill installs packages on. */
export function isDebianFamily(os: OsRelease): boolean {
  return [os.id, ...os.idLike].some((name) => name === 'debian' || name === 'ubuntu');
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value)?.[2];
  return (quoted ?? value).replace(/\\(["'$`\\])/g, '$1');
}
