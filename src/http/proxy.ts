import { BlockList, isIP, isIPv6 } from 'node:net';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL, with curl's rules for HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, and NO_PROXY; lowercase
 * names take precedence. Undefined: no proxy. NO_PROXY takes `*`, and names with their subdomains, addresses,
 * or networks (`10.0.0.0/8`), each with an optional `:port`. The loopback of this machine never uses a proxy.
 * @throws Error for a proxy that is not a URL
 */
export function proxyFor(url: URL, env: Env): URL | undefined {
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const written = variable(env, scheme) ?? variable(env, 'all_proxy');
  if (written === undefined) return undefined;
  const host = url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  if (isLoopback(host)) return undefined;
  const exceptions = (variable(env, 'no_proxy') ?? '').split(/[,\s]+/).filter(Boolean);
  if (exceptions.some((exception) => covers(exception, host, port))) return undefined;
  const proxy = URL.parse(written.includes('://') ? written : `http://${written}`);
  // The message does not contain the value, because it may contain a password.
  if (proxy === null || proxy.hostname === '') throw new Error(`${scheme.toUpperCase()} is not a proxy URL`);
  return proxy;
}

/** The passwords in the proxies' URLs. */
export function proxyPasswords(env: Env): string[] {
  return ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => {
    const password = URL.parse(variable(env, name) ?? '')?.password;
    return password === undefined || password === '' ? [] : [password, unescaped(password)];
  });
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function variable(env: Env, name: string): string | undefined {
  // An empty lowercase variable disables the uppercase one.
  const value = env[name] ?? env[name.toUpperCase()];
  return value === '' ? undefined : value;
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.(\d+\.){2}\d+$/.test(host)
  );
}

/** Whether an entry of NO_PROXY applies to the host and port. */
function covers(exception: string, host: string, port: number): boolean {
  if (exception === '*') return true;
  // In an IPv6 address, only brackets separate the port from the address.
  const [, name = exception, ownPort] =
    /^\[(.+)\](?::(\d+))?$/.exec(exception) ?? /^([^:]+):(\d+)$/.exec(exception) ?? [];
  if (ownPort !== undefined && Number(ownPort) !== port) return false;
  if (isIP(host) !== 0) return coversAddress(name, host);
  const domain = name
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  return domain !== '' && (host.endsWith(`.${domain}`) || (host === domain && !name.startsWith('*')));
}

function coversAddress(entry: string, host: string): boolean {
  const [address = '', length] = entry.split('/');
  if (isIP(address) === 0 || isIP(address) !== isIP(host)) return false;
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const bits = length === undefined ? (family === 'ipv6' ? 128 : 32) : Number(length);
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === 'ipv6' ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(address, bits, family);
  return list.check(host, family);
}
