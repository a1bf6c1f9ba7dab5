/** Paths with their labels, collected one by one. */
import { type PartialLabels, packPartialLabels } from './partial-labels.ts';
import type { PartialLabel } from './sample.ts';
import { byCodePoint, type StringTable, StringTableBuilder } from './string-table.ts';

export interface PathList {
  readonly paths: StringTable;
  /** one per path, where the list has them */
  readonly labels?: Int32Array;
  /** lists of positive and negative classes instead */
  readonly partial?: PartialLabels;
  /** names of the classes, where labels are names */
  readonly classes?: readonly string[];
}

const classList = (value: unknown) => Array.isArray(value) && value.every((k) => Number.isInteger(k) && k >= 0);
const isPartial = (label: unknown): label is PartialLabel =>
  typeof label === 'object' &&
  label !== null &&
  'positive' in label &&
  'negative' in label &&
  classList(label.positive) &&
  classList(label.negative);

/** Collects entries; labels are all numbers, all names, or absent. */
export class PathEntries {
  readonly #paths = new StringTableBuilder();
  readonly #labels: (number | string)[] = [];
  readonly #partial: PartialLabel[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  add(path: unknown, label: unknown): void {
    if (typeof path !== 'string' || path === '') this.#refuse(`is not a path: ${JSON.stringify(path)}`);
    const labelled = this.#labels.length + this.#partial.length > 0;
    if ((label !== undefined) !== labelled && this.#paths.length > 0) {
      this.#refuse(`${label === undefined ? 'has no label' : 'has a label'}, unlike those before it`);
    }
    this.#paths.add(path);
    if (label === undefined) return;
    if (isPartial(label) && this.#labels.length === 0) {
      this.#partial.push(label);
      return;
    }
    if (this.#partial.length > 0) this.#refuse('has no lists of classes, unlike those before it');
    if (typeof label !== 'number' && typeof label !== 'string') {
      this.#refuse(`has a label that is neither number nor name: ${JSON.stringify(label)}`);
    }
    this.#labels.push(label);
  }

  #refuse(why: string): never {
    throw new Error(`${this.#file}: entry ${this.#paths.length} ${why}`);
  }

  finish(): PathList {
    const paths = this.#paths.finish();
    if (paths.length === 0) throw new Error(`${this.#file} is empty`);
    if (this.#partial.length > 0) return { paths, partial: packPartialLabels(this.#partial) };
    if (this.#labels.length === 0) return { paths };
    const labels = new Int32Array(new SharedArrayBuffer(paths.length * 4));
    const numbers = this.#labels.map((label) => (label === '' ? Number.NaN : Number(label)));
    if (numbers.every((label) => Number.isInteger(label) && Math.abs(label) <= 0x7fffffff)) {
      labels.set(numbers);
      return { paths, labels };
    }
    const classes = [...new Set(this.#labels.map(String))].sort(byCodePoint);
    const positions = new Map(classes.map((name, i) => [name, i]));
    this.#labels.forEach((label, i) => {
      labels[i] = positions.get(String(label))!;
    });
    return { paths, labels, classes };
  }
}
