import { createPrivateKey, type KeyObject } from 'node:crypto';

/**
 * A private key in PKCS#8 (`BEGIN PRIVATE KEY`: openssl, Vault, cloud consoles) in a form that the SSH library reads: PKCS#1
 * for RSA, SEC1 for the NIST curves, OpenSSH's own for Ed25519.
 * @returns undefined for a text in another form
 * @throws Error for a key that cannot be read, or of a type that SSH does not have
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
/** Lines of a PEM file have so many characters. */
const pemWidth = 70;
/** The block that an unencrypted key is padded to, bytes. */
const blockBytes = 8;

/** PROTOCOL.key of OpenSSH, without encryption and comment. */
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

/** A string of the SSH protocol: its length, and its bytes. */
function field(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
