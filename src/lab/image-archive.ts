import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type LabContext, labError, mustRun } from './lab-context.ts';
import type { Lab } from './manifest.ts';

const tarManifest = z.array(z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullable() }));
const savedSchema = z.object({ outer: z.record(z.string(), z.string()) });

/**
 * Writes the inner images to `vm/images.tar` in the state folder, and a line `TAG ID` for each image to `vm/images.txt`. The id
 * is the one that an engine has after loading, so a VM can tell whether it has to load the image. Unchanged images are not
 * written again. Returns a sentence. Throws DrillError `lab`.
 */
export async function saveInnerImages(context: LabContext, lab: Lab): Promise<string> {
  const tags = Object.values(lab.manifest.innerImages?.targets ?? {}).map((target) => target.tag);
  if (tags.length === 0) return 'this lab has no inner images';
  const outer = await imageIds(context, tags);
  const folder = join(lab.stateDir, 'vm');
  const notePath = join(lab.stateDir, 'saved-images.json');
  if (sameIds(await readSaved(notePath), outer)) return 'the archive of the inner images is up to date';
  const partial = join(folder, 'images.tar.partial');
  try {
    // If no image is built, this step may run before the step that creates the folder for certificates.
    await mkdir(folder, { recursive: true });
    await mustRun(context, ['docker', 'save', '--output', partial, ...tags], { timeoutMs: 300_000 });
    const list = await mustRun(context, ['tar', '-xOf', partial, 'manifest.json'], { timeoutMs: 120_000 });
    await writeFile(join(folder, 'images.txt.partial'), `${loadedIds(list.stdout).join('\n')}\n`);
    await rename(partial, join(folder, 'images.tar'));
    await rename(join(folder, 'images.txt.partial'), join(folder, 'images.txt'));
    await writeFile(notePath, JSON.stringify({ outer }));
  } catch (error) {
    throw labError('cannot save the inner images', error, `Free disk space in ${lab.stateDir}.`);
  } finally {
    await rm(partial, { force: true });
  }
  return `saved ${tags.join(', ')}`;
}

/**
 * `TAG sha256:ID` lines from the manifest.json of a `docker save` archive. The id is the digest of the image's configuration.
 * It comes from the archive, because engines with the containerd image store report another id for their own copy.
 */
export function loadedIds(manifestJson: string): string[] {
  return tarManifest.parse(JSON.parse(manifestJson)).flatMap((image) => {
    const digest = /([0-9a-f]{64})(?:\.json)?$/.exec(image.Config)?.[1] ?? image.Config;
    return (image.RepoTags ?? []).map((tag) => `${tag} sha256:${digest}`);
  });
}

async function imageIds(context: LabContext, tags: readonly string[]): Promise<Record<string, string>> {
  const result = await mustRun(context, ['docker', 'image', 'inspect', '--format', '{{.Id}}', ...tags], {
    timeoutMs: 20_000,
  });
  const ids = result.stdout.trim().split('\n');
  return Object.fromEntries(tags.map((tag, index) => [tag, ids[index] ?? '']));
}

async function readSaved(path: string): Promise<Record<string, string> | undefined> {
  try {
    return savedSchema.parse(JSON.parse(await readFile(path, 'utf8'))).outer;
  } catch {
    // If the note is missing or damaged, the archive is written again.
    return undefined;
  }
}

function sameIds(a: Record<string, string> | undefined, b: Record<string, string>): boolean {
  if (a === undefined || Object.keys(a).length !== Object.keys(b).length) return false;
  return Object.entries(b).every(([tag, id]) => a[tag] === id);
}
