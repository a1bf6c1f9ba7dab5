/** Drawings of a checked graph. */
import type { CheckedGraph } from '../checked.ts';
import { toDot } from './dot.ts';
import { toMermaid } from './mermaid.ts';
import { type PictureOptions, pictureOf } from './picture.ts';

export interface DrawOptions extends PictureOptions {
  readonly format: 'mermaid' | 'dot' | 'svg';
}

/**
 * The layout in WebAssembly has no fonts and guesses widths. Only for a font with one width for all letters is the guess
 * right on every machine, so SVG is measured with Courier and shown with what the reader has of that kind.
 */
const MEASURED = 'Courier';
const SHOWN = 'ui-monospace,SFMono-Regular,Menlo,DejaVu Sans Mono,monospace';

/** The drawing as text. Graphviz (WebAssembly) is loaded for SVG alone. */
export async function draw(graph: CheckedGraph, { format, ...options }: DrawOptions): Promise<string> {
  const picture = pictureOf(graph, options);
  if (format === 'mermaid') return toMermaid(picture);
  if (format === 'dot') return toDot(picture);
  const { instance } = await import('@viz-js/viz');
  const svg = (await instance()).renderString(toDot(picture, MEASURED), { format: 'svg' });
  return svg.replaceAll(`font-family="${MEASURED},monospace"`, `font-family="${SHOWN}"`);
}
