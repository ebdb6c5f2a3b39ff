/** What a compose command is told about its project. Labels of a container (`com.docker.compose.…`) have it. */
export interface ComposeProject {
  readonly projectDirectory: string;
  /** Undefined: as Compose names it, by the folder. */
  readonly project?: string | undefined;
  /** Compose files. None: those that Compose finds in the folder. */
  readonly files?: readonly string[];
  /** None: the folder's `.env`. */
  readonly environmentFiles?: readonly string[];
}

/** The beginning of a compose command for a project. */
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

/** The paths of a label that has several. */
export function labelPaths(label: string): string[] {
  return label.split(',').filter(Boolean);
}

/** Compose looks for a relative path in the folder that it is started in, which is anywhere. */
export function inFolder(projectDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${withoutSlash(projectDirectory)}/${path}`;
}

/** A folder as Compose writes it into labels. */
export function withoutSlash(folder: string): string {
  return folder.replace(/(?<=.)\/+$/, '');
}
