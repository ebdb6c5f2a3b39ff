import { z } from 'zod';
import { secretRef } from './secret.ts';

/** CAs to trust. */
export const caFile = z
  .string()
  .min(1)
  .optional()
  .describe(
    'PEM file of the trusted CAs; default: the CAs of Node.js (Mozilla’s). Debian’s system CAs are in /etc/ssl/certs/ca-certificates.crt.',
  );

/** Certificate with which a client authenticates itself. */
export const clientCert = z
  .strictObject({
    certFile: z.string().min(1).describe('PEM file of the certificate, with its chain.'),
    keyFile: z.string().min(1).describe('PEM file of its private key.'),
    passphrase: secretRef
      .optional()
      .describe('File or environment variable with the key’s passphrase; never the passphrase itself.'),
  })
  .optional()
  .describe('Client certificate for mutual TLS.');
export type ClientCert = NonNullable<z.output<typeof clientCert>>;

/** TLS settings of HTTP clients. */
export const httpTlsFields = {
  caFile,
  clientCert,
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe('Name for SNI and the certificate check; default: the host in the URL.'),
  insecureSkipVerify: z.boolean().default(false).describe('Accept any certificate.'),
};
