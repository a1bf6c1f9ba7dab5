/** `pipe graph`: a pipeline as a picture. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { checkPipeline, type DocumentOptions, openPipeline } from '../../pipeline/open.ts';

interface GraphOptions extends DocumentOptions {
  readonly format: 'mermaid' | 'dot' | 'svg';
  readonly expand?: boolean;
  readonly output?: string;
}

const BY_EXTENSION: Readonly<Record<string, GraphOptions['format']>> = {
  '.svg': 'svg',
  '.dot': 'dot',
  '.gv': 'dot',
  '.mmd': 'mermaid',
};

export async function graph(pipeline: string, overrides: readonly string[], options: GraphOptions): Promise<void> {
  const checked = await checkPipeline(await openPipeline(pipeline, overrides, options), { machine: false });
  const format = (options.output && BY_EXTENSION[extname(options.output)]) || options.format;
  const { draw } = await import('../../../graph/draw/draw.ts');
  const text = await draw(checked, { format, expand: options.expand ?? false });
  if (!options.output) {
    process.stdout.write(text);
    return;
  }
  mkdirSync(dirname(resolve(options.output)), { recursive: true });
  writeFileSync(options.output, text);
  process.stderr.write(`${options.output}\n`);
}
