/** Every pipeline that ships passes the checks, and every part fits the pipelines it is for. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { checkDocument } from '../../../graph/check/check.ts';
import type { CheckedGraph } from '../../../graph/checked.ts';
import { resolveDocument } from '../../../graph/document/resolve.ts';
import { formatProblem, type Problem } from '../../../graph/problem.ts';
import { createRegistry } from '../../../graph/registry.ts';
import { packageRoot } from '../../../runtime/package.ts';

const shipped = join(packageRoot, 'pipelines');
const folder = join(shipped, 'pretrain');
const jsonIn = (path: string): string[] => {
  try {
    return readdirSync(path).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
};

const text = (problems: readonly Problem[]): string => problems.map((problem) => formatProblem(problem)).join('\n');

async function check(pipeline: string, ...parts: readonly string[]): Promise<CheckedGraph> {
  const resolved = await resolveDocument(pipeline, { with: parts });
  if (isLeft(resolved)) assert.fail(text(resolved.left));
  const graph = await checkDocument(resolved.right, await createRegistry(), { machine: false });
  if (isLeft(graph)) assert.fail(text(graph.left));
  return graph.right;
}

describe('pipelines', () => {
  const isWhole = (file: string) => file.endsWith('.json') && !/^base\b|\bparts\b/.test(file);
  const files = readdirSync(shipped, { recursive: true, encoding: 'utf8' }).filter(isWhole).sort();
  for (const file of files) it(`check ${file}`, async () => void (await check(join(shipped, file))));
});

describe('parts of the approaches', () => {
  for (const approach of readdirSync(folder).sort()) {
    const parts = jsonIn(join(folder, approach, 'parts'));
    for (const pipeline of parts.length > 0 ? jsonIn(join(folder, approach)) : []) {
      it(`fit ${approach}/${pipeline}`, async () => {
        for (const part of parts) await check(join(folder, approach, pipeline), join(folder, approach, 'parts', part));
      }).timeout(120_000);
    }
  }

  it('have the models of the reference: RegNetY-256GF with 1.3 billion parameters', async () => {
    const part = join(folder, 'swav', 'parts', 'regnet_y_256gf.json');
    const graph = await check(join(folder, 'swav', 'swav_8node_resnet.json'), part);
    const parameters = graph.byName.get('trunk')!.model!.parameterCount;
    assert.ok(Math.abs(parameters / 1e9 - 1.3) < 0.05, `${parameters}`);
  });
});
