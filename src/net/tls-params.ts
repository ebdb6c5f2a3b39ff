import { z } from 'zod';
import { secretRef } from './secret.ts';

/** CAs to trust. */
export const caFile = z
  .string()
  .min(1)
  .optional()
  .describe(
    'PEM file of the CAs to trust instead of those that come with Node.js (Mozilla’s). Debian has those of the system in /etc/ssl/certs/ca-certificates.crt.',
  );

/** The certificate by which a client shows who it is. */
export const clientCert = z
  .strictObject({
    certFile: z.string().min(1).describe('PEM file of the certificate, with its chain.'),
    keyFile: z.string().min(1).describe('PEM file of its private key.'),
    passphrase: secretRef
      .optional()
      .describe('Where to read the passphrase of the key; never the passphrase itself.'),
  })
  .optional()
  .describe('Certificate to show to a server that asks for one (mutual TLS).');
export type ClientCert = NonNullable<z.output<typeof clientCert>>;
