import { nearest, suggest } from '../scenario/suggest.ts';

/** A container that the engine on this machine knows. */
export interface KnownContainer {
  readonly name: string;
  /** created, running, paused, restarting, removing, exited, or dead. */
  readonly state: string;
  /**
   * Compose project and service; undefined for a container that Compose did not create. A container of `docker compose run` does
   * not serve, so it has no service.
   */
  readonly project?: string;
  readonly service?: string;
}

/** Format of `docker ps` that `parseContainers` reads: a line for each container, with tabs between the fields. */
export const containersFormat =
  '{{.Names}}\t{{.State}}\t{{.Label "com.docker.compose.project"}}\t{{.Label "com.docker.compose.service"}}\t{{.Label "com.docker.compose.oneoff"}}';

/** Reads what `docker ps --format` printed. `Names` can hold aliases of links after a comma. */
export function parseContainers(text: string): KnownContainer[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [names = '', state = '', project = '', service = '', oneOff = ''] = line.split('\t');
      return {
        name: names.split(',').find((name) => !name.includes('/')) ?? names,
        state,
        ...(project === '' ? {} : { project }),
        ...(service === '' || oneOff === 'True' ? {} : { service }),
      };
    });
}

/**
 * The containers that these words name. A word is the name of a container, or that of a Compose service: all containers of a
 * service count.
 * @param known containers of the engine; undefined if it gave no answer, and then each word counts as a container's name
 */
export function resolveContainers(
  words: readonly string[],
  known: readonly KnownContainer[] | undefined,
): { readonly names: readonly string[] } | { readonly problem: string } {
  if (words.length === 0) return { problem: 'expected at least one container' };
  const names: string[] = [];
  for (const word of words) {
    const found = known === undefined ? uncheckedName(word) : resolveOne(word, known);
    if ('problem' in found) return found;
    names.push(...found.names);
  }
  const twice = names.find((name, i) => names.indexOf(name) < i);
  return twice === undefined ? { names } : { problem: `container "${twice}" is named twice` };
}

/** The form of a container name that the Docker engine accepts. */
const containerName = /^[A-Za-z0-9][\w.-]*$/;

function uncheckedName(word: string): { readonly names: readonly string[] } | { readonly problem: string } {
  if (containerName.test(word)) return { names: [word] };
  return {
    problem: `"${word}" is not a container name: expected letters, digits, dots, dashes, and underscores, with a letter or digit first`,
  };
}

function resolveOne(
  word: string,
  known: readonly KnownContainer[],
): { readonly names: readonly string[] } | { readonly problem: string } {
  if (known.some(({ name }) => name === word)) return { names: [word] };
  const ofService = known.filter(({ service }) => service === word);
  const projects = [...new Set(ofService.map(({ project }) => project))];
  if (projects.length > 1) {
    const choice = ofService.map(({ name }) => name).join(', ');
    return {
      problem: `service "${word}" is in the Compose projects ${projects.join(', ')}; name a container: ${choice}`,
    };
  }
  if (ofService.length > 0) return { names: ofService.map(({ name }) => name) };
  const services = [...new Set(known.flatMap(({ service }) => service ?? []))];
  const containers = known.map(({ name }) => name);
  const near = nearest(word, [...containers, ...services]);
  const others = known.length === 0 ? '; the Docker engine has no containers' : suggest(word, containers);
  const hint = near === undefined ? others : `; did you mean "${near}"?`;
  return { problem: `no container or Compose service is named "${word}"${hint}` };
}
