/** What weights, or a once-value, depend on: the nodes before them, as plain data. See train/compare.ts. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { ModelKeys } from '../../graph/model/keys.ts';
import type { Signature, SignedNode } from '../train/compare.ts';
import { ancestors, type Graph, type GraphNode, optimizersIn, refOf, trainingPhases } from './edges.ts';

/** Of all that training depends on. */
export function trainingSignature(graph: Graph): Signature {
  const names = new Set(
    trainingPhases(graph).flatMap((phase) => [...ancestors(graph, optimizersIn(graph, phase), phase)]),
  );
  const { seed, precision, phases, sync_batch_norm } = graph.run;
  // left out where it is off, as in checkpoints that know nothing of it
  const own = graph.step ? { step: { type: graph.step.declaration.type, params: graph.step.params } } : {};
  const run = { seed, precision, phases, ...(sync_batch_norm ? { sync_batch_norm } : {}), ...own };
  return plainJson({ nodes: sign(graph, names), run });
}

/** A key that changes when the once-values of a node would: its nodes, their params, and the weights files they read. */
export async function artifactKey(graph: Graph, node: GraphNode, producer: string): Promise<string> {
  const names = ancestors(graph, [node]);
  const files: unknown[] = [];
  for (const name of names) {
    const { weights } = graph.byName.get(name)!.params as ModelKeys;
    if (typeof weights !== 'string') continue;
    const found = await stat(weights).catch(() => undefined);
    files.push([weights, found?.size, found?.mtimeMs]);
  }
  const { seed, precision } = graph.run;
  const content = JSON.stringify([producer, seed, precision, sign(graph, names), files]);
  return createHash('sha256').update(content).digest('hex');
}

function sign(graph: Graph, names: ReadonlySet<string>): Record<string, SignedNode> {
  return Object.fromEntries(
    graph.nodes
      .filter(({ name }) => names.has(name))
      .map(({ name, declaration, params, inputs }) => [
        name,
        {
          type: declaration.type,
          role: declaration.role,
          params: withoutCheckpointing(params),
          inputs: Object.fromEntries(
            inputs.flatMap(({ port, sources }) =>
              Object.entries(sources).map(([phase, refs]) => [`${phase}.${port}`, refs.map(refOf)]),
            ),
          ),
        },
      ]),
  );
}

/** It changes what is kept in memory, and no number. */
function withoutCheckpointing(params: GraphNode['params']): GraphNode['params'] {
  const { activation_checkpointing: _, ...rest } = params as ModelKeys & GraphNode['params'];
  return rest;
}

/** As it comes back from a manifest: without undefined. */
const plainJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
