/** Learning rates of the recipes, at points of the run, on as many machines as each is for: the reference's numbers. */
import assert from 'node:assert/strict';
import { Value } from '@sinclair/typebox/value';
import { isLeft } from 'fp-ts/lib/Either.js';
import { resolveDocument } from '../../graph/document/resolve.ts';
import { formatProblem } from '../../graph/problem.ts';
import { createRegistry } from '../../graph/registry.ts';
import { type AutoLrScaling, autoLrScaling, scaleSchedule } from '../../nodes/optimizers/auto-lr-scaling.ts';
import { loadSchedules } from '../../runtime/engine/schedules.ts';
import type { NestedNode } from '../../runtime/node.ts';

interface Optimizer {
  readonly lr: number | NestedNode;
  readonly auto_lr_scaling?: object;
}

/** machines and images of each rank, eight ranks on a machine unless told otherwise */
interface Place {
  readonly machines: number;
  readonly images: number;
  readonly ranks?: number;
}

/** [share of the run, rate] */
type Points = readonly (readonly [where: number, rate: number])[];

const ONE_MACHINE: Place = { machines: 1, images: 32 };
const FOUR: Place = { machines: 4, images: 32 };
const EIGHT: Place = { machines: 8, images: 64 };
/** just before the end; restarts lie a little behind the shares that they are named by */
const END = 1 - 1e-9;
const PAST = 1e-5;

async function rateOf(pipeline: string, part: string | undefined, place: Place): Promise<(where: number) => number> {
  const folder = `pipelines/${pipeline.slice(0, pipeline.lastIndexOf('/'))}`;
  const resolved = await resolveDocument(pipeline, { with: part ? [`${folder}/parts/${part}`] : [] });
  if (isLeft(resolved)) assert.fail(resolved.left.map((problem) => formatProblem(problem)).join('\n'));
  const { nodes, run } = resolved.right;
  const found = Object.values(nodes).find(({ type }) => type.startsWith('optimizer/'));
  const optimizer = found as unknown as Optimizer;
  const scaling = optimizer.auto_lr_scaling && Value.Default(autoLrScaling, structuredClone(optimizer.auto_lr_scaling));
  const { machines, images, ranks = 8 } = place;
  const batch = { images: images * ranks * machines, machines };
  const lr = scaleSchedule(optimizer.lr, scaling as AutoLrScaling | undefined, batch);
  const schedules = await loadSchedules([{ lr }], await createRegistry(), run.epochs as number);
  return schedules.outermost(lr);
}

function rates(pipeline: string, part: string | undefined, place: Place, points: Points): void {
  it(part ? `${pipeline} with ${part}` : pipeline, async () => {
    const rate = await rateOf(pipeline, part, place);
    for (const [where, wanted] of points) {
      const got = rate(where);
      assert.ok(Math.abs(got - wanted) < 1e-4 * wanted + 1e-7, `at ${where} it is ${got}, not ${wanted}`);
    }
  });
}

/** Rates in epochs of a run of so many. */
const atEpochs = (epochs: number, points: Points): Points => points.map(([epoch, rate]) => [epoch / epochs, rate]);

describe('learning rates of the recipes', () => {
  const swav = 'pretrain/swav/swav_8node_resnet';
  rates(swav, undefined, EIGHT, [
    [0, 0.6],
    [0.0125, 2.7],
    [0.025 + PAST, 4.792593], // the cosine has run since the begin
    [0.5, 2.4024],
    [0.75, 0.707041],
    [END, 0.0048],
  ]);
  rates(swav, 'bs64_4gpu', { machines: 1, images: 64, ranks: 4 }, [
    [0, 0.6], // no warm-up on one machine
    [0.5, 0.3003],
    [END, 0.0006],
  ]);
  rates(swav, 'regnet_y_128gf', { machines: 16, images: 64 }, [
    [0, 0.8],
    [0.025 + PAST, 12.78027],
    [0.5, 6.4],
    [END, 0],
  ]);
  const full: Points = [
    [0, 0.6],
    [0.05, 2.7],
    [0.1 + PAST, 4.8],
    [0.2503, 2.4024],
    [0.4006, 0.0048],
    [0.7012, 4.8],
    [END, 0.0052242],
  ];
  const halfWarmup: Points = [
    [0, 0.6],
    [0.1 + PAST, 4.8],
    [0.325, 2.4024],
    [0.55 - PAST, 0.0048],
    [0.6, 1.0594],
    [0.65 + PAST, 2.114],
    [0.825, 1.0594],
    [END, 0.0048],
  ];
  rates(swav, 'cosine_1restart_full', EIGHT, full);
  rates(swav, 'cosine_1restart_full_adaptive', EIGHT, [
    [0, 0.6],
    [0.05, 2.7],
    [0.1 + PAST, 3.596849], // the first wave, too, begins where the plain cosine is when it comes back
    [0.2503, 1.800824],
    [0.4006, 0.0048],
    [0.7012, 1.194913],
    [END, 0.0049053],
  ]);
  const half: Points = [
    [0, 0.6],
    [0.1 + PAST, 4.8],
    [0.325, 2.4024],
    [0.55 - PAST, 0.0048],
  ];
  rates(swav, 'cosine_1restart_half', EIGHT, [...half, [0.55 + PAST, 4.8], [0.775, 2.4024], [END, 0.0048]]);
  rates(swav, 'cosine_1restart_half_adaptive', EIGHT, [...half, [0.55 + PAST, 2.4024], [0.775, 1.2036], [END, 0.0048]]);
  rates(swav, 'cosine_1restart_half_warmup', EIGHT, halfWarmup);

  describe('which are not scaled to the batch where the reference does not', () => {
    rates(swav, 'cosine_1restart_full', ONE_MACHINE, full);
    rates(swav, 'cosine_1restart_half_warmup', ONE_MACHINE, halfWarmup);
    rates('pretrain/supervised/supervised_8gpu_regnety', undefined, EIGHT, [
      [0, 0.1],
      [0.05 + PAST, 0.1987686],
      [0.5, 0.1],
      [END, 0],
    ]);
  });

  const simclr: Points = [
    [0, 0.6],
    [0.05, 2.7],
    [0.1 + PAST, 4.682469],
    [0.5, 2.4],
    [END, 0],
  ];
  rates('pretrain/simclr/simclr_8node_resnet', undefined, EIGHT, simclr);
  rates('pretrain/deepcluster_v2/deepclusterv2_2crops_resnet', undefined, EIGHT, simclr);

  const thirds = atEpochs(200, [
    [0, 0.03],
    [119.9, 0.03],
    [120, 0.003],
    [160, 0.0003],
    [199.9, 0.0003],
  ]);
  rates('pretrain/moco/moco_1node_resnet', undefined, ONE_MACHINE, thirds);
  rates('pretrain/moco/moco_1node_resnet', 'moco_v1', ONE_MACHINE, thirds);
  rates('pretrain/npid/npid_8gpu_resnet', undefined, ONE_MACHINE, thirds);
  const slow = atEpochs(800, [
    [0, 0.12],
    [400, 0.06006],
    [400.9, 0.06006],
    [799.9, 0.00012046],
  ]);
  rates('pretrain/npid/npid++_4nodes_resnet', undefined, FOUR, slow);
  rates('pretrain/pirl/pirl_jigsaw_4node_resnet50', undefined, FOUR, slow);

  const fifths = atEpochs(105, [
    [0, 0.1],
    [29.9, 0.1],
    [30, 0.01],
    [60, 0.001],
    [90, 0.0001],
    [100, 1e-5],
    [104.9, 1e-5],
  ]);
  for (const pipeline of [
    'pretrain/rotnet/rotnet_8gpu_resnet',
    'pretrain/jigsaw/jigsaw_8gpu_resnet',
    'pretrain/clusterfit/clusterfit_resnet_8gpu_imagenet',
    'pretrain/supervised/supervised_8gpu_resnet',
  ]) {
    rates(pipeline, undefined, ONE_MACHINE, fifths);
  }
  rates(
    'pretrain/supervised/supervised_1gpu_resnet_example',
    undefined,
    { ...ONE_MACHINE, ranks: 1 },
    fifths.map(([where, rate]) => [where, rate / 8]),
  );
  rates('pretrain/supervised/supervised_8gpu_resnext', undefined, ONE_MACHINE, [
    [0, 0.1],
    [0.05 + PAST, 0.1987686],
    [0.5, 0.1],
    [END, 0],
  ]);

  for (const [name, epochs, milestones] of [
    ['imagenet1k', 28, [8, 16, 24]],
    ['places205', 14, [4, 8, 12]],
    ['inaturalist18', 84, [24, 48, 72]],
  ] as const) {
    const points = milestones.flatMap((epoch, i): Points => {
      const rate = 0.01 / 10 ** i;
      return [
        [epoch - 0.1, rate],
        [epoch, rate / 10],
      ];
    });
    rates(`benchmark/linear/${name}`, undefined, ONE_MACHINE, atEpochs(epochs, [[0, 0.01], ...points]));
  }

  describe('of papers that have a warm-up, wherever they run', () => {
    for (const place of [EIGHT, ONE_MACHINE]) {
      rates('pretrain/byol/byol_resnet', undefined, place, [
        [0, 0],
        [5 / 300, 2.4],
        [10 / 300, 4.8],
        [155 / 300, 2.4],
        [END, 0],
      ]);
      rates('pretrain/barlow_twins/barlow_twins_resnet', undefined, place, [
        [0, 0],
        [0.005, 0.8],
        [0.01 + PAST, 1.6],
        [0.505, 0.8008],
        [END, 0.0016],
      ]);
      rates('pretrain/dino/dino_vit', undefined, place, [
        [0, 0],
        [0.05, 0.001],
        [0.1 + PAST, 0.002],
        [0.55, 0.0010005],
        [END, 1e-6],
      ]);
      rates('pretrain/dino/dino_resnet', undefined, place, [
        [0, 0],
        [5 / 300, 0.06],
        [10 / 300, 0.12],
        [END, 1e-6],
      ]);
    }
  });
  rates('pretrain/simsiam/simsiam_resnet', undefined, { machines: 1, images: 64 }, [
    [0, 0.1],
    [0.5, 0.05],
    [END, 0.0000247],
  ]);
});
