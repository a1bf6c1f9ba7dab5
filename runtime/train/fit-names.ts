/** Which tensor of a weights file belongs to which parameter of a model. */
import { nearest } from '../../graph/problem.ts';
import { NAMINGS } from './state-dict-names.ts';

export interface FittedNames {
  /** parameter of the model → name in the file */
  readonly byParameter: ReadonlyMap<string, string>;
  /** what the file's names have in front */
  readonly prefix: string;
  /** whose names they are: vissl, torchvision, detectron2, classy */
  readonly naming: string;
}

/**
 * The prefix and the naming under which most parameters are found: "trunk.", "module.", "classy_state_dict.…" in front
 * need not be said. With a `prefix` only names that begin with it are looked at. Of equally good ones the node's own name
 * wins, then none.
 * @throws Error when two prefixes fit equally well, as in files with a momentum encoder
 */
export function fitNames(
  file: readonly string[],
  parameters: readonly string[],
  prefix: string | undefined,
  node: string,
): FittedNames {
  const known = new Set(file);
  let best: { score: number; fits: FittedNames[] } = { score: 0, fits: [] };
  for (const [naming, rename] of Object.entries(NAMINGS)) {
    const wanted = new Map(
      parameters.flatMap((name) => {
        const other = rename(name);
        return other === undefined ? [] : [[name, other] as const];
      }),
    );
    for (const front of prefix === undefined ? prefixes(file, [...wanted.values()]) : [prefix]) {
      const byParameter = new Map([...wanted].map(([own, other]) => [own, front + other] as const));
      for (const [own, name] of byParameter) if (!known.has(name)) byParameter.delete(own);
      const score = byParameter.size;
      if (score === 0 || score < best.score) continue;
      const fit = { byParameter, prefix: front, naming };
      if (score > best.score) best = { score, fits: [fit] };
      else if (!best.fits.some((other) => sameNames(other, fit))) best.fits.push(fit);
    }
  }
  const chosen =
    best.fits.find((fit) => fit.prefix === `${node}.`) ??
    best.fits.find((fit) => fit.prefix === '') ??
    (best.fits.length === 1 ? best.fits[0] : undefined);
  if (chosen) return chosen;
  if (best.fits.length > 1) {
    const found = best.fits.map((fit) => `"${fit.prefix}"`).join(', ');
    throw new Error(`its parameters are there under several prefixes: ${found}. Choose one with weights_prefix`);
  }
  throw new Error(nothingFits(file, parameters, prefix));
}

const sameNames = (a: FittedNames, b: FittedNames): boolean =>
  [...a.byParameter].every(([own, name]) => b.byParameter.get(own) === name);

/** What stands in front of the model's names in the file's, up to a dot. */
function prefixes(file: readonly string[], wanted: readonly string[]): string[] {
  const found = new Set<string>(['']);
  // names of a model end alike ("0.weight"): the last few are asked too, so that one odd parameter does not decide
  for (const name of [...wanted.slice(0, 3), ...wanted.slice(-3)]) {
    for (const other of file) {
      if (other.endsWith(`.${name}`)) found.add(other.slice(0, other.length - name.length));
    }
  }
  return [...found];
}

function nothingFits(file: readonly string[], parameters: readonly string[], prefix?: string): string {
  const few = (names: readonly string[]) => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`;
  if (prefix !== undefined && !file.some((name) => name.startsWith(prefix))) {
    const fronts = new Set(file.map((name) => name.slice(0, name.indexOf('.') + 1)));
    const near = nearest(prefix, fronts);
    return `no name in the file begins with "${prefix}"${near ? `; "${near}" is one that does` : `: they are ${few(file)}`}`;
  }
  return `the file has names such as ${few(file)}, the model ${few(parameters)}: it is of another architecture, or a name is in front that differs from layer to layer`;
}
