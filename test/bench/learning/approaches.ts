/** The quick pipelines as rows of the learning table. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Approach {
  /** name of the row and of its folder */
  readonly name: string;
  readonly pipeline: string;
  /** the row whose trained trunk this one starts from, and the node that takes it */
  readonly from?: { readonly approach: string; readonly node: string };
}

/** Pipelines that evaluate or distil a trunk take that of this approach. */
const TEACHER = 'jigsaw';
const taking = (name: string, pipeline: string, node: string): Approach => ({
  name,
  pipeline: `quick/${pipeline}`,
  from: { approach: TEACHER, node },
});

/** Every document of pipelines/quick; linear classification of an untrained trunk and of a trained one. */
export function approaches(): readonly Approach[] {
  const folder = fileURLToPath(new URL('../../../pipelines/quick/', import.meta.url));
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
  return names.flatMap((name) => {
    if (name === 'clusterfit') return [taking(name, name, 'teacher')];
    const own = { name, pipeline: `quick/${name}` };
    return name === 'linear' ? [own, taking(`linear-${TEACHER}`, name, 'trunk')] : [own];
  });
}
