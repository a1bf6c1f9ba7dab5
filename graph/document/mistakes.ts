import type { Problem } from '../problem.ts';
import type { Place, Tree } from './located.ts';

/** Collects the problems of a stage, so that it can go on and find them all. */
export class Mistakes {
  readonly found: Problem[];
  readonly #layer: Problem['layer'];

  constructor(layer: Problem['layer'], found: Problem[] = []) {
    this.#layer = layer;
    this.found = found;
  }

  /** The same collection for another layer. */
  of(layer: Problem['layer']): Mistakes {
    return new Mistakes(layer, this.found);
  }

  /** At a place of its own, or at the value itself. */
  add(at: Place | Tree | undefined, where: string | undefined, message: string, cure?: string): void {
    const place = at && 'kind' in at ? at.origin.place : at;
    this.found.push({ layer: this.#layer, ...place, where: where || undefined, message, cure: cure || undefined });
  }

  get none(): boolean {
    return this.found.length === 0;
  }
}
