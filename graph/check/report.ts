/** Collects the problems of a document, each with its place. */
import type { Place } from '../document/located.ts';
import type { ResolvedDocument } from '../document/resolve.ts';
import type { Problem } from '../problem.ts';

type Path = readonly (string | number)[];

export interface Found {
  readonly layer: Problem['layer'];
  /** of the offending value; the nearest value around it counts where there is none */
  readonly path: Path;
  /** the key is wrong, not its value */
  readonly key?: boolean;
  readonly where?: string;
  readonly message: string;
  readonly cure?: string;
}

export class Report {
  readonly problems: Problem[] = [];
  /** not wrong, but worth saying */
  readonly notes: Problem[] = [];
  readonly #document: ResolvedDocument;
  readonly #seen = new Set<string>();

  constructor(document: ResolvedDocument) {
    this.#document = document;
  }

  /** so many problems that looking for nearest names in a large document would take longer than reading them */
  get crowded(): boolean {
    return this.problems.length > 100;
  }

  add(found: Found): void {
    // what holds in several phases is said once
    const id = `${found.where} ${found.message}`;
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    this.problems.push(this.#problem(found));
  }

  note(found: Found): void {
    this.notes.push(this.#problem(found));
  }

  #problem({ layer, path, key, where, message, cure }: Found): Problem {
    const place: Place | undefined = key ? this.#document.locateKey(path) : this.#document.locate(path);
    return { layer, ...place, where, message, cure: cure || undefined };
  }
}
