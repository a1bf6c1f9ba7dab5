import gem from '../../../nodes/features/gem.ts';
import rmac from '../../../nodes/features/rmac.ts';
import { scaledTo } from '../../../nodes/transforms/sizes.ts';
import type { NodeType, Values } from '../../../runtime/node.ts';
import { fitPcaWhitening, whiten } from '../../../runtime/retrieval/pca-whitening.ts';
import { rmacRegions } from '../../../runtime/retrieval/rmac-regions.ts';
import {
  averagePrecisionOfRanks,
  distances,
  REVISITED,
  rankings,
  retrievalScores,
} from '../../../runtime/retrieval/scores.ts';
import type { Tensor } from '../../../runtime/tensor/types.ts';
import { createInstance, nodeContext } from '../../support/node-context.ts';
import type { CheckContext, Checker } from '../checker.ts';
import { near, nearNumber, nearTensor, same } from '../compare.ts';
import { toImages } from '../layout.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

const numbers = ({ data }: OracleTensor): number[] => data.map(Number);

const FACTS = { phase: 'test', training: false, iteration: 0, epoch: 0 };

async function run(definition: unknown, params: Record<string, unknown>, inputs: Values, context: CheckContext) {
  const node = createInstance(
    definition as NodeType,
    nodeContext(await context.backend(), definition as NodeType, { params }),
  );
  return node.run(inputs, FACTS);
}

/** The mean over sizes and the lengths are simple sums of the pooled vectors: they are compared through them. */
async function checkGem({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const { keepdims: _, ...own } = params;
  await backend.scopeAsync(async () => {
    const pool = async (x: OracleTensor) =>
      (await run(gem, own, { features: toImages(backend, x) }, context)).output as Tensor;
    const pooled = await pool(inputs.x);
    const flat = (want: OracleTensor) => ({ ...want, shape: [...pooled.shape] });
    await nearTensor(pooled, flat(outputs.gem), tolerance, 'gem');
    const both = backend.tf.div(backend.tf.add(pooled, await pool(inputs.x2)), 2);
    await nearTensor(both, flat(outputs.average_gem_of_x_and_x2), tolerance, 'mean over two sizes');
  });
}

function checkRegions({ params: { H, W, L }, outputs }: OracleCase): void {
  const got = rmacRegions(H, W, L).map(({ x, y, side }) => [x, y, side, side]);
  same(got, outputs.regions_xywh, 'regions');
}

async function checkRmac({ params, inputs, outputs, tolerance }: OracleCase, context: CheckContext): Promise<void> {
  const backend = await context.backend();
  const features = toImages(backend, inputs.features);
  const pca = inputs.pca_mean && {
    width: inputs.pca_DVt.shape[1],
    components: params.n_pca,
    mean: Float32Array.from(numbers(inputs.pca_mean)),
    matrix: Float32Array.from(numbers(inputs.pca_DVt)),
  };
  for (const [name, normalize] of [
    ['descriptors', true],
    ['descriptors_unnormalized', false],
  ] as const) {
    await backend.scopeAsync(async () => {
      const own = { levels: params.levels, normalize };
      const { regions, output } = await run(rmac, own, { features, pca }, context);
      await nearTensor(pca ? output : regions, outputs[name], tolerance, name);
    });
  }
  features.dispose();
}

/** Signs of components are free. */
function checkPca({ params, inputs, outputs, tolerance }: OracleCase): void {
  const width = inputs.X.shape[1];
  const pca = fitPcaWhitening(numbers(inputs.X), width, params.n_components);
  near(pca.mean, outputs.mean.data, tolerance, 'mean');
  same([pca.components, pca.width], outputs.DVt.shape, 'shape');
  const rows = numbers(inputs.X).length / width;
  const transformed = whiten(pca, numbers(inputs.X_new));
  for (let c = 0; c < pca.components; c++) {
    // beyond the rank of the data the directions are arbitrary
    if (c >= rows - 1) break;
    const want = numbers(outputs.DVt).slice(c * width, (c + 1) * width);
    const got = [...pca.matrix.subarray(c * width, (c + 1) * width)];
    const sign = Math.sign(got.reduce((sum, x, j) => sum + x * want[j], 0));
    near(
      got.map((x) => sign * x),
      want,
      tolerance,
      `component ${c}`,
    );
    const column = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % pca.components === c);
    near(
      column(transformed).map((x) => sign * x),
      column(numbers(outputs.transformed)),
      tolerance,
      `transformed ${c}`,
    );
  }
}

function checkAp({ inputs, outputs, tolerance }: OracleCase): void {
  const got = averagePrecisionOfRanks(inputs.ranks, inputs.nres);
  nearNumber(got, outputs.score_ap_from_ranks_1, tolerance, 'ap');
  nearNumber(got, outputs.compute_ap, tolerance, 'ap');
}

function checkMap({ params, inputs, outputs, tolerance }: OracleCase): void {
  const [database, queries] = inputs.ranks.shape;
  const ranks = numbers(inputs.ranks);
  const ranked = Array.from({ length: queries }, (_, q) =>
    Array.from({ length: database }, (_, i) => ranks[i * queries + q]),
  );
  const got = retrievalScores(ranked, inputs.gnd, params.kappas);
  nearNumber(got.map, outputs.map, tolerance, 'mAP');
  near(got.aps, outputs.aps.data, tolerance, 'aps');
  near(got.precision, outputs.mean_precision_at_k.data, tolerance, 'mean precision');
  got.precisions.forEach((own, q) => {
    // queries without positives have zeros there in the reference, and no precision here
    if (!Number.isNaN(got.aps[q])) {
      near(
        own,
        outputs.precision_at_k.data.slice(q * own.length, (q + 1) * own.length),
        tolerance,
        `precision of ${q}`,
      );
    }
  });
}

function checkRevisited({ inputs, outputs, tolerance }: OracleCase): void {
  const truth = inputs.gnd.map((query: Record<string, OracleTensor>) =>
    Object.fromEntries(Object.entries(query).map(([name, tensor]) => [name, numbers(tensor)])),
  );
  const ranked = rankings(numbers(inputs.sim), inputs.sim.shape[0]);
  for (const [short, kind] of [
    ['e', 'easy'],
    ['m', 'medium'],
    ['h', 'hard'],
  ] as const) {
    const got = retrievalScores(ranked, truth.map(REVISITED[kind]), outputs['mp@k'].k);
    nearNumber(got.map, outputs.mAP[short], tolerance, `mAP, ${kind}`);
    near(got.precision, outputs['mp@k'][short], tolerance, `precision, ${kind}`);
  }
}

function checkDistances({ inputs, outputs, tolerance }: OracleCase): void {
  const got = distances(numbers(inputs.queries), numbers(inputs.database), inputs.queries.shape[1]);
  near(got, outputs.l2.data, tolerance, 'distances');
}

function checkResize({ params: { w, h, size, largest }, outputs }: OracleCase): void {
  const { width, height } = scaledTo({ width: w, height: h }, size, largest ? 'longer' : 'shorter');
  same([height, width], outputs.hw, 'size');
}

export default [
  { pattern: /^evaluation\/gem\.json$/, check: checkGem },
  { pattern: /^evaluation\/rmac_regions\.json$/, check: checkRegions },
  { pattern: /^evaluation\/rmac_descriptors\.json$/, check: checkRmac },
  { pattern: /^evaluation\/pca_whitening\.json$/, check: checkPca },
  { pattern: /^evaluation\/retrieval_ap\.json$/, check: checkAp },
  { pattern: /^evaluation\/retrieval_compute_map\.json$/, check: checkMap },
  { pattern: /^evaluation\/revisited_score\.json$/, check: checkRevisited },
  { pattern: /^evaluation\/l2_distance_matrix\.json$/, check: checkDistances },
  { pattern: /^evaluation\/multigrain_resize\.json$/, check: checkResize },
] satisfies readonly Checker[];
