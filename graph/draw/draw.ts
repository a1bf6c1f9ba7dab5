/** Drawings of a checked graph. */
import type { CheckedGraph } from '../checked.ts';
import { toDot } from './dot.ts';
import { toMermaid } from './mermaid.ts';
import { type PictureOptions, pictureOf } from './picture.ts';

export interface DrawOptions extends PictureOptions {
  readonly format: 'mermaid' | 'dot' | 'svg';
}

/** The drawing as text. Graphviz (WebAssembly) is loaded for SVG alone. */
export async function draw(graph: CheckedGraph, { format, ...options }: DrawOptions): Promise<string> {
  const picture = pictureOf(graph, options);
  if (format === 'mermaid') return toMermaid(picture);
  const dot = toDot(picture);
  if (format === 'dot') return dot;
  const { instance } = await import('@viz-js/viz');
  return (await instance()).renderString(dot, { format: 'svg' });
}
