/** What npm prints if it cannot reach the registry or the keys of its signatures. */
const unreachable =
  /npm error code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)/;

/** npm audits only packages of registries with signing keys. */
const nothingSigned = /found no dependencies to audit that were installed from a supported registry/;

/**
 * The result of `npm audit signatures`. A machine that cannot reach the keys has neither passed nor failed.
 *
 * @param {number} exitCode
 * @param {string} output stdout and stderr
 * @returns {{ state: 'passed' | 'failed' | 'not run', text: string }}
 */
export function signaturesResult(exitCode, output) {
  if (exitCode === 0) {
    const [text = 'no output'] =
      /^\d+ packages? ha(?:s|ve) verified registry signatures?/m.exec(output) ?? [];
    return { state: 'passed', text };
  }
  const code = unreachable.exec(output)?.[1];
  if (code !== undefined)
    return { state: 'not run', text: `the registry or its keys cannot be reached (${code})` };
  if (nothingSigned.test(output)) return { state: 'not run', text: 'the registry signs no packages' };
  return { state: 'failed', text: output.trim() };
}
