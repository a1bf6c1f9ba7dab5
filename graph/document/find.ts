import { access, readdir, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { didYouMean } from '../problem.ts';

/** Where a document was found, or what to say when it was not. */
export type Found = { file: string } | { message: string; cure?: string };

/**
 * A document by path or by name. A path is relative to `folder`; a name such as `quick/swav` that is no file there is
 * looked up among the pipelines that ship. `.json` may be left out. A path that begins with a dot is never a name.
 */
export async function findDocument(wanted: string, folder: string, pipelines: string): Promise<Found> {
  const places = [resolve(folder, wanted), resolve(folder, `${wanted}.json`)];
  const canBeName = !/^\.\.?([/\\]|$)/.test(wanted) && !isAbsolute(wanted);
  if (canBeName) places.push(join(pipelines, wanted), join(pipelines, `${wanted}.json`));
  for (const place of places)
    if (/\.jsonc?$/.test(place) && (await exists(place))) return { file: await realpath(place) };
  if (await exists(places[0]!)) {
    return { message: `"${wanted}" is not a .json file`, cure: 'Name a pipeline document, which ends in .json' };
  }
  const candidates = [...(await siblings(wanted, folder)), ...(canBeName ? await shippedNames(pipelines) : [])];
  return {
    message: `there is no document "${wanted}"${canBeName ? `, neither in ${folder} nor among the shipped pipelines` : `: ${places[0]} does not exist`}`,
    cure: didYouMean(wanted, candidates),
  };
}

/** Names of the pipelines below a folder, as one writes them: `quick/swav`. Sorted. */
export async function shippedNames(pipelines: string): Promise<string[]> {
  const files = await readdir(pipelines, { recursive: true }).catch(() => []);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length).split(sep).join('/'))
    .sort();
}

/** The folder `pipelines` of this package. */
export async function shippedPipelines(): Promise<string> {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!(await exists(join(folder, 'pipelines'))) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, 'pipelines');
}

/** Documents beside the one wanted, written as it was. */
async function siblings(wanted: string, folder: string): Promise<string[]> {
  const beside = dirname(resolve(folder, wanted));
  const files = await readdir(beside).catch(() => []);
  const prefix = wanted.startsWith('./') ? './' : '';
  return files
    .filter((file) => /\.jsonc?$/.test(file))
    .sort()
    .map((file) =>
      isAbsolute(wanted) ? join(beside, file) : prefix + relative(folder, join(beside, file)).split(sep).join('/'),
    );
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
