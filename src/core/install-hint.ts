/** Where a program is missing: a machine, this machine, or a container. */
interface Place {
  readonly name: string;
  readonly isThisMachine?: boolean | undefined;
  /** The container that the host is. */
  readonly container?: { readonly name: string } | undefined;
}

/**
 * How to make a program available on a host. A package that is installed in a running container is gone when the container is
 * created again, so there the image gets it.
 */
export function installHint({ name, isThisMachine, container }: Place, packageName: string): string {
  if (container !== undefined) {
    return `Add the package ${packageName} to the image of container ${container.name}, or set the probe's \`from\` to a host that has it.`;
  }
  return `Install the package ${packageName} on ${isThisMachine === true ? 'this machine' : name}.`;
}
