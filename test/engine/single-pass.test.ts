import assert from 'node:assert/strict';
import { join } from 'node:path';
import { draw } from '../../graph/draw/draw.ts';
import { runGraph } from '../../runtime/engine/run.ts';
import { checkPipeline, openPipeline } from '../../runtime/pipeline/open.ts';
import { openBackend } from '../../runtime/tensor/backend.ts';
import type { DeviceStreams } from '../../runtime/tensor/types.ts';
import { openSafetensors } from '../../runtime/train/safetensors.ts';
import { withFolder } from './fixtures/graph.ts';
import { recordedStreams } from './fixtures/streams.ts';

const ONE_CROP = ['num_crops=[1,1]', 'size_crops=[32,20]', 'crop_scales=[[0.6,1],[0.3,0.6]]'];
const CROPS = ['num_crops=[2,3]', 'size_crops=[32,20]', 'crop_scales=[[0.6,1],[0.3,0.6]]'];
const SINGLE = '+nodes.trunk.single_pass_every_crop=true';

async function checked(pipeline: string, changes: readonly string[]) {
  const overrides = ['train_images=12', 'test_images=8', 'batch_size=8', 'epochs=1', ...changes];
  const opened = await openPipeline({ extends: pipeline, hooks: [] }, overrides, {});
  return { graph: await checkPipeline(opened), types: opened.registry };
}

/** Two steps of a pipeline that ships, small, the second with half a batch; the tensors of its checkpoint by name. */
async function trained(pipeline: string, changes: readonly string[], streams?: DeviceStreams) {
  return withFolder(async (out) => {
    const { graph, types } = await checked(pipeline, ['run.evaluate=[]', 'nodes.batch.drop_last=false', ...changes]);
    const backend = await openBackend('wasm');
    const { checkpoint, iteration } = await runGraph(graph, { out, backend, types, workers: 0, streams });
    assert.equal(iteration, 2);
    const file = await openSafetensors(join(checkpoint!, 'model.safetensors'));
    const tensors = new Map<string, Uint8Array>();
    for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
    await file.close();
    return tensors;
  });
}

const counted = (tensors: ReadonlyMap<string, Uint8Array>, name: string): number =>
  new Int32Array(Uint8Array.from(tensors.get(name)!).buffer)[0];

const BN1 = '_feature_blocks.bn1.num_batches_tracked';

describe('a pass of the trunk for every crop', function () {
  this.timeout(180_000);

  it('is one pass for each size where each size has one crop', async () => {
    const usual = await trained('quick/swav', ONE_CROP);
    assert.deepEqual(await trained('quick/swav', [...ONE_CROP, SINGLE]), usual);
  });

  it('makes each crop a batch of its own, with activation checkpointing and on streams too', async () => {
    const usual = await trained('quick/swav', CROPS);
    const single = await trained('quick/swav', [...CROPS, SINGLE]);
    assert.equal(counted(usual, `trunk.${BN1}`), 2 * 2, 'two sizes, two steps');
    assert.equal(counted(single, `trunk.${BN1}`), 2 * 5, 'five crops, two steps');
    assert.notDeepEqual(
      single.get('trunk._feature_blocks.conv1.weight'),
      usual.get('trunk._feature_blocks.conv1.weight'),
    );

    const checkpointed = [...CROPS, SINGLE, '+nodes.trunk.activation_checkpointing=3'];
    assert.deepEqual(await trained('quick/swav', checkpointed), single);

    const streams = recordedStreams();
    assert.deepEqual(await trained('quick/swav', [...CROPS, SINGLE], streams), single);
    const end = streams.find('mark main size 2: trunk size 2');
    assert.ok(streams.ordered(end, streams.find('run main', 1)), 'the head has the features of all crops');
    assert.ok(!streams.log.some((line) => line.includes('size 3')), 'crops of one size stay on one stream');
  });

  it('holds for the momentum copy of a trunk, with its own crops', async () => {
    const single = await trained('quick/dino', [...CROPS, SINGLE]);
    assert.equal(counted(single, `trunk.${BN1}`), 2 * 5);
    assert.equal(counted(single, `teacher/trunk.${BN1}`), 2 * 2, 'the large crops only');
  });

  it('changes no shape, is drawn, and leaves phases with one view alone', async () => {
    const usual = await checked('quick/swav', CROPS);
    const single = await checked('quick/swav', [...CROPS, SINGLE]);
    const outputs = ({ graph }: typeof usual) => graph.byName.get('trunk')!.outputs;
    assert.deepEqual(outputs(single), outputs(usual));
    assert.match(await draw(single.graph, { format: 'mermaid' }), /single_pass_every_crop true/);
    assert.doesNotMatch(await draw(usual.graph, { format: 'mermaid' }), /single_pass/);
    await withFolder(async (out) => {
      const { graph, types } = await checked('quick/swav', [...CROPS, SINGLE, 'k=2']);
      const backend = await openBackend('wasm');
      const { metrics } = await runGraph(graph, { out, backend, types, workers: 0 });
      assert.ok(metrics['knn.top1'] >= 0);
    });
  });

  it('is no param of models that take no images', async () => {
    await assert.rejects(
      checked('quick/swav', ['+nodes.head.single_pass_every_crop=true']),
      /head\/swav has no param "single_pass_every_crop"/,
    );
  });
});
