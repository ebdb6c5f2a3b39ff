import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** For tests: the name in the servers' certificates. */
export const certifiedName = 'app.example.com';

/**
 * For tests: creates certificates in a folder, each as NAME.key and NAME.pem. There are two CAs (`ca`, `other-ca`); the first
 * one signs `good` and `expired`, both for `app.example.com`.
 */
export function makeCertificates(folder: string): void {
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  for (const ca of ['ca', 'other-ca']) {
    const out = ['-keyout', `${ca}.key`, '-out', `${ca}.pem`];
    openssl('req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${ca}`, ...out);
  }
  // `openssl ca` is used because it can set both dates in every version.
  const config = `
    [ca]
    default_ca = test
    [test]
    database = index.txt
    rand_serial = yes
    new_certs_dir = .
    certificate = ca.pem
    private_key = ca.key
    default_md = sha256
    policy = any
    x509_extensions = leaf
    unique_subject = no
    [any]
    commonName = supplied
    [leaf]
    subjectAltName = DNS:${certifiedName}`;
  writeFileSync(join(folder, 'ca.cnf'), config);
  writeFileSync(join(folder, 'index.txt'), '');
  for (const [name, endDate] of [
    ['good', '20991231000000Z'],
    ['expired', '20200102000000Z'],
  ] as const) {
    openssl(
      'req',
      ...newKey,
      '-subj',
      `/CN=${certifiedName}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    const dates = ['-startdate', '20200101000000Z', '-enddate', endDate];
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.cnf',
      ...dates,
      '-in',
      `${name}.csr`,
      '-out',
      `${name}.pem`,
    );
  }
}
