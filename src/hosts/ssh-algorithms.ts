import { createRequire } from 'node:module';
import type { Algorithms } from 'ssh2';
import { DrillError } from '../core/errors.ts';
import type { SshSettings } from './ssh-config.ts';

/** What the library can do, in the order in which it prefers it. It exports the lists nowhere else. */
const supported = createRequire(import.meta.url)('ssh2/lib/protocol/constants.js') as Readonly<
  Record<'SUPPORTED_KEX' | 'SUPPORTED_CIPHER' | 'SUPPORTED_MAC', readonly string[]>
>;

/** Algorithms of a connection besides that of the host key. */
type Chosen = Pick<Algorithms, 'kex' | 'cipher' | 'hmac'>;

/**
 * The algorithms that ssh_config allows and the library has. Key exchanges in the order of ssh_config; ciphers and MACs in
 * that of the library, for which some cost many times more than others.
 * @throws DrillError `host-unreachable` where none is left
 */
export function chooseAlgorithms({ asked, kexAlgorithms, ciphers, macs }: SshSettings): Chosen {
  const { SUPPORTED_KEX, SUPPORTED_CIPHER, SUPPORTED_MAC } = supported;
  const choose = (
    keyword: string,
    allowed: readonly string[],
    known: readonly string[],
  ): string[] | undefined => {
    if (allowed.length === 0) return undefined;
    const first = keyword === 'KexAlgorithms' ? allowed : known;
    const chosen = first.filter((name) => allowed.includes(name) && known.includes(name));
    if (chosen.length > 0) return chosen;
    throw new DrillError(
      'host-unreachable',
      `firedrill supports none of the ${keyword} in ssh_config for ${asked}: ${allowed.join(', ')}`,
      { mend: `Allow one of these in ${keyword}: ${known.join(', ')}.` },
    );
  };
  const chosen = {
    kex: choose('KexAlgorithms', kexAlgorithms, SUPPORTED_KEX),
    cipher: choose('Ciphers', ciphers, SUPPORTED_CIPHER),
    hmac: choose('MACs', macs, SUPPORTED_MAC),
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, list]) => list !== undefined));
}
