/** Applies transforms to pictures, with the draws that a test gives. */
import { Value } from '@sinclair/typebox/value';
import type { NodeProblem } from '../../../graph/node-type.ts';
import type { SampleFacts } from '../../../graph/port.ts';
import { createPixelMemory } from '../../../runtime/data/pixels/memory.ts';
import { createPixels, type Pixels } from '../../../runtime/data/pixels/pixels.ts';
import type { PackedPixels, Sample } from '../../../runtime/data/sample.ts';
import type { NestedNode, NodeType, Transform } from '../../../runtime/node.ts';
import { createRandom, type Random } from '../../../runtime/random.ts';

export const RGB: SampleFacts = { views: [[['H'], ['W'], [3]]], dtype: 'uint8', labelled: false };

/** Facts of pictures of these sizes. */
export const factsOf = (...sizes: readonly (readonly [number, number])[]): SampleFacts => ({
  ...RGB,
  views: sizes.map(([height, width]) => [[height], [width], [3]]),
});

export const newPixels = (): Pixels => {
  const bytes = 1 << 20;
  return createPixels(createPixelMemory({ bytes, maximumBytes: 256 << 20 }), { offset: 0, bytes });
};

const transformType = (type: NodeType) => {
  if (type.role !== 'transform') throw new Error(`${type.type} is not a transform`);
  return type;
};

export const paramsOf = (type: NodeType, given: Record<string, unknown>): any =>
  Value.Default(type.params, structuredClone(given));

export function create(
  type: NodeType,
  given: Record<string, unknown>,
  pixels: Pixels,
  types: Readonly<Record<string, NodeType>> = {},
): Transform {
  const nested = ({ transform, ...inner }: NestedNode) => create(types[transform as string], inner, pixels, types);
  return transformType(type).create({ name: 'test', params: paramsOf(type, given), pixels, once: {}, nested });
}

export function facts(
  type: NodeType,
  given: Record<string, unknown>,
  before: SampleFacts,
  types: Readonly<Record<string, NodeType>> = {},
) {
  const problems: NodeProblem[] = [];
  const problem = (one: NodeProblem) => problems.push(one);
  const inner = ({ transform, ...own }: NestedNode, from: SampleFacts): SampleFacts => {
    const found = transformType(types[transform as string]);
    return found.facts(from, paramsOf(found, own), problem, inner);
  };
  const after = transformType(type).facts(before, paramsOf(type, given), problem, inner);
  return { after, problems, messages: problems.map(({ message }) => message) };
}

export interface Applied {
  readonly sample: Sample;
  readonly bytes: readonly Uint8Array[];
}

/** A sample with these pictures as its views, through one transform, as the sample program does it. */
export function apply(
  type: NodeType,
  given: Record<string, unknown>,
  pictures: readonly PackedPixels[],
  options: {
    random?: (position: number) => Random;
    label?: number;
    pixels?: Pixels;
    types?: Readonly<Record<string, NodeType>>;
  } = {},
): Applied {
  const { random = (position: number) => createRandom(0, position), label = -1, pixels = newPixels() } = options;
  const transform = create(type, given, pixels, options.types);
  const sample: Sample = { views: pictures.map((picture) => pixels.put(picture)), label, index: 7, valid: true };
  const indices = given.indices as number[] | undefined;
  if ('sample' in transform) transform.sample(sample, random(0));
  else {
    sample.views = sample.views.flatMap((view, position) =>
      indices && !indices.includes(position) ? view : transform.view(view, random(position), position),
    );
  }
  return { sample, bytes: sample.views.map((view) => Uint8Array.from(pixels.bytes(view))) };
}

/** A stream that gives recorded numbers and fails when asked for what was not recorded. */
export function recorded(draws: {
  next?: readonly number[];
  uniform?: readonly number[];
  integer?: readonly number[];
  permutation?: readonly (readonly number[])[];
}): Random {
  const left = structuredClone(draws) as Record<string, unknown[] | undefined>;
  const take = (kind: string) => () => {
    const value = left[kind]?.shift();
    if (value === undefined) throw new Error(`no recorded draw of ${kind} is left`);
    return value as any;
  };
  return {
    next: take('next'),
    uniform: take('uniform'),
    normal: take('normal'),
    integer: take('integer'),
    permutation: () => Uint32Array.from(take('permutation')() as number[]),
    fork: () => recorded(draws),
  };
}
