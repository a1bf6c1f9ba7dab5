/** What recipes have besides their graph, as the reference's configurations have it. */
import assert from 'node:assert/strict';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type ResolvedDocument, resolveDocument } from '../../graph/document/resolve.ts';

async function resolved(pipeline: string, part?: string): Promise<ResolvedDocument> {
  const folder = `pipelines/${pipeline.slice(0, pipeline.lastIndexOf('/'))}`;
  const document = await resolveDocument(pipeline, { with: part ? [`${folder}/parts/${part}`] : [] });
  return isLeft(document) ? assert.fail(document.left.map(({ message }) => message).join('; ')) : document.right;
}

type Hook = Readonly<Record<string, unknown>> | undefined;

const hookOf = ({ hooks }: ResolvedDocument, name: string): Hook => hooks.find(({ type }) => type === `hook/${name}`);

const swav = 'pretrain/swav/swav_8node_resnet';
const simclr = 'pretrain/simclr/simclr_8node_resnet';
const moco = 'pretrain/moco/moco_1node_resnet';
const deepcluster = 'pretrain/deepcluster_v2/deepclusterv2_2crops_resnet';
const linear = ['imagenet1k', 'places205', 'inaturalist18'].map((name) => `benchmark/linear/${name}`);

describe('recipes', () => {
  it('synchronise batch norm in groups of eight ranks where the reference does', async () => {
    for (const pipeline of [swav, simclr, deepcluster, ...linear])
      assert.deepEqual((await resolved(pipeline)).run.sync_batch_norm, { group_size: 8 }, pipeline);
    assert.equal((await resolved(swav, 'regnet_y_128gf')).run.sync_batch_norm, true);
    for (const pipeline of [moco, 'pretrain/npid/npid_8gpu_resnet', 'pretrain/pirl/pirl_jigsaw_4node_resnet50'])
      assert.equal((await resolved(pipeline)).run.sync_batch_norm, undefined, pipeline);
  });

  it('write a line of the log as often', async () => {
    const hundred = ['npid/npid_8gpu_resnet', 'npid/npid++_4nodes_resnet', 'pirl/pirl_jigsaw_4node_resnet50'];
    hundred.push('rotnet/rotnet_8gpu_resnet', 'jigsaw/jigsaw_8gpu_resnet', 'supervised/supervised_8gpu_resnet');
    hundred.push('supervised/supervised_1gpu_resnet_example', 'supervised/supervised_8gpu_regnety');
    hundred.push('supervised/supervised_8gpu_resnext', 'clusterfit/clusterfit_resnet_8gpu_imagenet');
    const often: readonly (readonly [string, number])[] = [
      ...[swav, simclr, moco, deepcluster].map((pipeline) => [pipeline, 10] as const),
      ...hundred.map((name) => [`pretrain/${name}`, 100] as const),
      ...linear.map((pipeline, i) => [pipeline, i === 0 ? 200 : 100] as const),
    ];
    for (const [pipeline, iterations] of often)
      assert.equal(hookOf(await resolved(pipeline), 'log')?.log_frequency, iterations, pipeline);
  });

  it('say what the machine does, and where the reference measures, how long a step takes', async () => {
    for (const pipeline of [swav, simclr, moco, deepcluster, ...linear]) {
      const document = await resolved(pipeline);
      for (const name of ['machine_stats', 'perf_stats', 'model_complexity', 'nan_watch', 'jsonl', 'checkpoint'])
        assert.ok(hookOf(document, name), `${pipeline}: ${name}`);
    }
    const pirl = await resolved('pretrain/pirl/pirl_jigsaw_4node_resnet50');
    assert.ok(hookOf(pirl, 'machine_stats'));
    assert.equal(hookOf(pirl, 'perf_stats'), undefined);
    assert.equal(hookOf(await resolved(moco), 'tensorboard')?.log_params, false);
    assert.equal(hookOf(await resolved(swav), 'tensorboard'), undefined);
  });

  it('keep the log of quick pipelines short', async () => {
    for (const pipeline of ['quick/swav', 'quick/simclr', 'quick/linear'])
      for (const name of ['machine_stats', 'perf_stats'])
        assert.equal(hookOf(await resolved(pipeline), name), undefined, `${pipeline}: ${name}`);
  });

  it('save, test and freeze when the reference does', async () => {
    assert.equal(hookOf(await resolved(deepcluster), 'checkpoint')?.iterations, 310);
    assert.equal(hookOf(await resolved(deepcluster), 'checkpoint')?.every, 1);
    assert.equal(hookOf(await resolved(swav), 'checkpoint')?.every, 5);
    assert.equal((await resolved('pretrain/rotnet/rotnet_8gpu_resnet')).run.test_every, 5);
    const frozen = async (part?: string) => hookOf(await resolved(swav, part), 'freeze_parameters')?.parameters;
    assert.deepEqual(await frozen(), { 'head.prototypes0.weight': 313 });
    assert.deepEqual(await frozen('regnet_y_128gf'), { 'head.prototypes0.weight': 625 });
    assert.equal(hookOf(await resolved(swav, 'regnet_y_128gf'), 'checkpoint')?.every, 1);
  });
});
