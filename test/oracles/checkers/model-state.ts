import { isLeft } from 'fp-ts/lib/Either.js';
import { summarize } from '../../../graph/model/summary.ts';
import type { Shape } from '../../../graph/port.ts';
import evalMlp from '../../../nodes/heads/eval_mlp.ts';
import mlp from '../../../nodes/heads/mlp.ts';
import swav from '../../../nodes/heads/swav.ts';
import type { NodeType } from '../../../runtime/node.ts';
import { type Checker, NotSupported } from '../checker.ts';
import { same } from '../compare.ts';
import { describe } from '../model.ts';
import type { OracleCase } from '../oracle-file.ts';
import { trunkNode } from '../trunk-types.ts';

const HEADS: Readonly<Record<string, NodeType>> = {
  mlp: mlp as NodeType,
  swav_head: swav as NodeType,
  eval_mlp: evalMlp as NodeType,
};

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly trainable: boolean;
}

/** The state dict of a model node, in order, by the static summary. */
function entries(definition: NodeType, params: object, input: Shape, frozen = false): Entry[] {
  const summary = summarize({ ...describe(definition, { ...params }), frozen }, [input]);
  if (isLeft(summary)) throw new Error(summary.left.join('; '));
  const { parameters, buffers } = summary.right;
  return [
    ...parameters.map(({ name, torchShape: shape, trainable }) => ({ name, shape, dtype: 'float32', trainable })),
    ...buffers.map(({ name, shape, kind }) => ({
      name,
      shape,
      dtype: kind === 'num_batches_tracked' ? 'int64' : 'float32',
      trainable: false,
    })),
  ];
}

/** Names, shapes and dtypes of trunk and heads as a checkpoint of the reference holds them. */
function check({ params, outputs }: OracleCase): void {
  const frozen = params.feature_eval_settings?.FREEZE_TRUNK_ONLY === true;
  const { definition, params: own } = trunkNode(params.trunk, params.trunk_config);
  const prefix = frozen ? 'base_model.' : '';
  const trunk = entries(definition, own, [[1], [224], [224], [3]], frozen).map((entry) => ({
    ...entry,
    name: prefix + entry.name,
  }));
  const heads = params.head_params.flatMap(([name, config]: [string, Record<string, any>], i: number) => {
    if (name === 'siamese_concat_view') return []; // it has no weights
    if (!HEADS[name]) throw new NotSupported(`no head node for ${name}`);
    const width = config.dims[0];
    const [channels, places] = name === 'eval_mlp' ? [config.in_channels, width / config.in_channels] : [width, 1];
    const side = Math.sqrt(places);
    const input: Shape = name === 'eval_mlp' ? [[1], [side], [side], [channels]] : [[1], [width]];
    return entries(HEADS[name], config, input).map((entry) => ({ ...entry, name: `${i}.${entry.name}` }));
  });
  const rows = (list: readonly Entry[]) =>
    list.map(({ name, shape, dtype }) => [name, [...shape], dtype]).toSorted(([a], [b]) => (a! < b! ? -1 : 1));
  const sorted = (list: readonly any[]) => list.toSorted(([a], [b]) => (a < b ? -1 : 1));
  same(rows(trunk), sorted(outputs.trunk), 'trunk');
  same(rows(heads), sorted(outputs.heads), 'heads');
  const all = [
    ...trunk.map((entry) => ({ ...entry, name: `trunk.${entry.name}` })),
    ...heads.map((entry: Entry) => ({ ...entry, name: `heads.${entry.name}` })),
  ];
  same(all.map(({ name }) => name).sort(), [...outputs.model_state_dict_keys].sort(), 'names of the whole model');
  const trained = all.filter(({ trainable }) => trainable).map(({ name }) => name);
  same(trained.sort(), [...outputs.trainable].sort(), 'trained parameters');
}

export default [{ pattern: /^checkpoints\/model_state_keys\.json$/, check }] satisfies readonly Checker[];
