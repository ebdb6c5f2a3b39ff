// Names of different things are different types, so the compiler rejects one where another belongs: a host where a
// probe's instance is expected, or a probe where its instance is. Plain text fits all of them, because files and
// logs are where names come from.

declare const kindOfId: unique symbol;

type Id<K extends string> = string & { readonly [kindOfId]?: K };

/** The name of a host in the target file, such as `node-1`. */
export type HostName = Id<'host'>;

/** The name of a role in the target file, such as `db-primary`. */
export type RoleName = Id<'role'>;

/** The name of a probe in the target file, such as `pg-role`. */
export type ProbeName = Id<'probe'>;

/** A probe's instance: its name, with the host if it runs per host, such as `pg-role@node-1`. */
export type ProbeId = Id<'probe instance'>;

/** The id of a fault, a preparation, or a repair of a plan, such as `fault-1`. */
export type FaultId = Id<'fault'>;
