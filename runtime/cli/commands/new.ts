/** `pipe new`: a node type with its test, or a pipeline, ready to be edited. Never overwrites. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { packageRoot } from '../../package.ts';
import { WrongRequest } from '../../pipeline/wrong-request.ts';

const refusal = (message: string, cure: string): WrongRequest =>
  new WrongRequest([{ layer: 'environment', message, cure }]);

function write(path: string, text: string): void {
  if (existsSync(path)) throw refusal(`${path} exists already`, 'choose another name, or remove it first');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  process.stdout.write(`${relative(process.cwd(), path) || path}\n`);
}

const lossFile = (type: string, source: string): string => `import { batch, defineNode, T } from '${source}';

/** What it computes, in one sentence; the paper with its arXiv id. */
export default defineNode({
  type: '${type}',
  role: 'loss',
  description: 'Mean squared length of the embeddings.',
  params: T.Object({
    weight: T.Number({ default: 1, minimum: 0, description: 'factor of the loss' }),
  }),
  inputs: { embeddings: batch.tensor('float32', ['N', 'D']) },
  outputs: { loss: batch.scalar() },
  create:
    ({ params, tf }) =>
    ({ embeddings }) => ({ loss: tf.mul(tf.mean(tf.square(embeddings)), params.weight) }),
});
`;

const transformFile = (type: string, source: string): string => `import { defineNode, T } from '${source}';

/** What it does to a picture, in one sentence. */
export default defineNode({
  type: '${type}',
  role: 'transform',
  description: 'Turns a picture gray with probability p.',
  params: T.Object({
    p: T.Number({ default: 0.2, minimum: 0, maximum: 1, description: 'probability' }),
  }),
  facts: (facts) => facts,
  create: ({ params, pixels }) => ({
    view: (view, random) => (random.next() < params.p ? pixels.grayscale(view) : view),
  }),
});
`;

const hookFile = (type: string, source: string): string => `import { defineNode, T } from '${source}';

/** What it watches, in one sentence. */
export default defineNode({
  type: '${type}',
  role: 'hook',
  description: 'Says how each epoch ended.',
  params: T.Object({}),
  create: () => ({
    phase_end: (event, run) => {
      if (event.progress.training) run.notice('info', \`epoch \${event.progress.epoch + 1} ended with loss \${event.loss}\`);
    },
  }),
});
`;

const templates: Readonly<Record<string, (type: string, source: string) => string>> = {
  loss: lossFile,
  transform: transformFile,
  hook: hookFile,
};

const testFile = (type: string, file: string): string => `import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import node from './${file}';

describe('${type}', () => {
  it('declares its type and describes each param', () => {
    assert.equal(node.type, '${type}');
    for (const [name, schema] of Object.entries(node.params.properties)) assert.ok(schema.description, name);
  });
});
`;

function newNode(type: string, folder: string): void {
  const match = /^([a-z][a-z0-9_]*)\/([a-z][a-z0-9_]*)$/.exec(type);
  if (!match) throw refusal(`"${type}" is not a node type`, 'write it as kind/name, e.g. loss/mine');
  const [, kind = '', name = ''] = match;
  const template = templates[kind];
  if (!template)
    throw refusal(
      `there is no scaffold for kind "${kind}"; there is one for ${Object.keys(templates).join(', ')}`,
      `begin with one of those, or copy a node from ${join(packageRoot, 'examples')}`,
    );
  write(resolve(folder, `${name}.ts`), template(type, 'pipe-ssl'));
  write(resolve(folder, `${name}.test.ts`), testFile(type, `${name}.ts`));
  process.stdout.write(`use it: pipe nodes describe ${type} --plugin ${join(folder, `${name}.ts`)}\n`);
}

function newPipeline(name: string, base: string, folder: string): void {
  const file = name.endsWith('.json') ? name : `${name}.json`;
  const document = {
    name: file.replace(/^.*\//, '').replace(/\.json$/, ''),
    extends: base,
    knobs: { epochs: 5 },
  };
  write(resolve(folder, file), `${JSON.stringify(document, null, 2)}\n`);
  process.stdout.write(`next: pipe check ${join(folder, file)}\n`);
}

export function scaffold(what: string, name: string, options: { extends: string; dir: string }): void {
  if (what === 'node') newNode(name, options.dir);
  else newPipeline(name, options.extends, options.dir);
}
