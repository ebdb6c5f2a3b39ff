/** Keys whose string value is a path, in every kind of probe, writer, and transport of an extension. */
export const fileKeys: ReadonlySet<string> = new Set(['caFile', 'certFile', 'file', 'keyFile']);
