import { createRequire } from 'node:module';
import type { Algorithms } from 'ssh2';
import { DrillError } from '../core/errors.ts';
import type { SshSettings } from './ssh-config.ts';

/** The algorithms of the library, in its order of preference. Only this internal file exports them. */
const supported = createRequire(import.meta.url)('ssh2/lib/protocol/constants.js') as Readonly<
  Record<'SUPPORTED_KEX' | 'SUPPORTED_CIPHER' | 'SUPPORTED_MAC', readonly string[]>
>;

/** Algorithms of a connection, without those of the host key. */
type Chosen = Pick<Algorithms, 'kex' | 'cipher' | 'hmac'>;

/**
 * The algorithms that ssh_config allows and the library supports. Key exchanges keep the order of ssh_config. Ciphers and MACs
 * keep the order of the library, because some cost it many times more CPU than others.
 * @throws DrillError `host-unreachable` if none is left
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
      { hint: `Allow one of these in ${keyword}: ${known.join(', ')}.` },
    );
  };
  const chosen = {
    kex: choose('KexAlgorithms', kexAlgorithms, SUPPORTED_KEX),
    cipher: choose('Ciphers', ciphers, SUPPORTED_CIPHER),
    hmac: choose('MACs', macs, SUPPORTED_MAC),
  };
  return Object.fromEntries(Object.entries(chosen).filter(([, list]) => list !== undefined));
}
