import { createPrivateKey, type KeyObject } from 'node:crypto';

/**
 * Converts a private key from PKCS#8 (`BEGIN PRIVATE KEY`: openssl, Vault, cloud consoles) to a format that the SSH library
 * reads: PKCS#1 for RSA, SEC1 for the NIST curves, OpenSSH's own for Ed25519.
 * @returns undefined for a text in another format
 * @throws Error for a key that cannot be read, or whose type SSH does not support
 */
export function fromPkcs8(text: string): string | undefined {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(text)) throw new Error('it has a passphrase');
  if (!/-----BEGIN PRIVATE KEY-----/.test(text)) return undefined;
  const key = createPrivateKey(text);
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' }).toString();
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' }).toString();
    case 'ed25519':
      return openSshEd25519(key);
    default:
      throw new Error(`SSH has no keys of type ${key.asymmetricKeyType}`);
  }
}

const type = Buffer.from('ssh-ed25519');
/** Characters in a line of a PEM file. */
const pemWidth = 70;
/** An unencrypted key is padded to a multiple of this, bytes. */
const blockBytes = 8;

/** The format of PROTOCOL.key in OpenSSH, without encryption and comment. */
function openSshEd25519(key: KeyObject): string {
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const publicKey = Buffer.concat([field(type), field(point)]);
  const check = Buffer.alloc(8);
  const secret = Buffer.concat([
    check,
    publicKey,
    field(Buffer.concat([seed, point])),
    field(Buffer.alloc(0)),
  ]);
  const padding = Buffer.from(Array.from({ length: -secret.length & (blockBytes - 1) }, (_, n) => n + 1));
  const none = field(Buffer.from('none'));
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    none,
    none,
    field(Buffer.alloc(0)),
    uint32(1),
    field(publicKey),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString('base64').match(new RegExp(`.{1,${pemWidth}}`, 'g')) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}

/** A string of the SSH protocol: its length, then its bytes. */
function field(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
