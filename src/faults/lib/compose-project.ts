/** Options that select a Compose project. A container's labels (`com.docker.compose.…`) contain them. */
export interface ComposeProject {
  readonly projectDirectory: string;
  /** Undefined: Compose derives the name from the folder. */
  readonly project?: string | undefined;
  /** Compose files. Empty: Compose searches the folder. */
  readonly files?: readonly string[];
  /** Empty: the folder's `.env`. */
  readonly environmentFiles?: readonly string[];
}

/** The `docker compose` command for a project, without its subcommand. */
export function composeCommand(of: ComposeProject): string[] {
  const { projectDirectory, project, files = [], environmentFiles = [] } = of;
  const options = (flag: string, paths: readonly string[]): string[] => paths.flatMap((path) => [flag, path]);
  return [
    'docker',
    'compose',
    '--project-directory',
    projectDirectory,
    ...(project === undefined ? [] : ['--project-name', project]),
    ...options('--file', files),
    ...options('--env-file', environmentFiles),
  ];
}

/** The paths of a label with comma-separated paths. */
export function labelPaths(label: string): string[] {
  return label.split(',').filter(Boolean);
}

/**
 * The path, relative to the project folder. Compose would resolve it against its own working directory, which
 * is arbitrary.
 */
export function inFolder(projectDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${withoutSlash(projectDirectory)}/${path}`;
}

/** The folder without trailing slashes, as Compose writes it into labels. */
export function withoutSlash(folder: string): string {
  return folder.replace(/(?<=.)\/+$/, '');
}
