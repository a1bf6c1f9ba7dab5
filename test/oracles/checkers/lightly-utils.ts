/** lightly's utilities: embedding files, metadata, PCA, schedules, boxes. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BoundingBox,
  boundingBox,
  boxArea,
  boxFromCenter,
  boxFromCorner,
  boxHeight,
  boxWidth,
} from '../../../runtime/lightly/bounding-box.ts';
import { checkEmbeddings } from '../../../runtime/lightly/check-embeddings.ts';
import { checkFilenames } from '../../../runtime/lightly/check-filenames.ts';
import { cosineSchedule, cosineWarmupSchedule } from '../../../runtime/lightly/cosine-schedule.ts';
import { formatCustomMetadata, saveCustomMetadata } from '../../../runtime/lightly/custom-metadata.ts';
import { eyeRank } from '../../../runtime/lightly/eye-rank.ts';
import { fitPca } from '../../../runtime/lightly/fit-pca.ts';
import { loadEmbeddings } from '../../../runtime/lightly/load-embeddings.ts';
import { loadEmbeddingsAsDict } from '../../../runtime/lightly/load-embeddings-as-dict.ts';
import type { Matrix } from '../../../runtime/lightly/matrix.ts';
import { Pca } from '../../../runtime/lightly/pca.ts';
import { saveSchema, saveTasks } from '../../../runtime/lightly/prediction-files.ts';
import { saveEmbeddings } from '../../../runtime/lightly/save-embeddings.ts';
import { sortItemsByKeys } from '../../../runtime/lightly/sort-items.ts';
import { stdOfL2Normalized } from '../../../runtime/lightly/std-of-l2-normalized.ts';
import { versionCompare } from '../../../runtime/lightly/version-compare.ts';
import { readYoloLabels } from '../../../runtime/lightly/yolo-labels.ts';
import type { Checker } from '../checker.ts';
import { fails, near, nearNumber, same } from '../compare.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';

/** Runs with the path of a file in a folder of its own. */
async function withFile<T>(text: string | undefined, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'oracle-'));
  try {
    const path = join(folder, 'file.csv');
    if (text !== undefined) await writeFile(path, text);
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const ARRAYS = { float32: Float32Array, float64: Float64Array, int64: Int32Array } as const;

function matrixOf<A extends Float32Array | Float64Array | Int32Array>({ shape, dtype, data }: OracleTensor): Matrix<A> {
  const [rows, columns] = shape;
  return { data: new ARRAYS[dtype as keyof typeof ARRAYS](data.map(Number)) as A, rows, columns };
}

/** With no row numpy forgets the columns. */
function nearMatrix({ data, rows, columns }: Matrix, want: OracleTensor, tolerance: number, what: string): void {
  same(want.shape.length === 1 ? [rows] : [rows, columns], [...want.shape], `${what}: shape`);
  near(data, want.data, tolerance, what);
}

async function checkCheck({ inputs, outputs, tolerance }: OracleCase): Promise<void> {
  await withFile(inputs.csv_text, async (path) => {
    const load = () => loadEmbeddings(path, { precision: 'float64' });
    if (outputs.load.error) await fails(load, 'load');
    else {
      const { embeddings, labels, filenames } = await load();
      nearMatrix(embeddings, outputs.load.embeddings, tolerance, 'embeddings');
      same({ labels, filenames }, { labels: outputs.load.labels, filenames: outputs.load.filenames }, 'columns');
    }
    if (outputs.check) {
      await fails(() => checkEmbeddings(path), 'check');
      await fails(() => checkEmbeddings(path, { removeAdditionalColumns: true }), 'check and remove');
      same(await readFile(path, 'utf8'), inputs.csv_text, 'a file that fails stays as it is');
      return;
    }
    await checkEmbeddings(path);
    same(await readFile(path, 'utf8'), inputs.csv_text, 'the check leaves the file as it is');
    await checkEmbeddings(path, { removeAdditionalColumns: true });
    same(await readFile(path, 'utf8'), outputs.csv_text_after_remove, 'file after removal');
  });
}

async function checkSaveLoad({ params, inputs, outputs, tolerance }: OracleCase): Promise<void> {
  await withFile(inputs.csv_text, async (path) => {
    if (params.op === 'load_embeddings') {
      const { embeddings, labels, filenames } = await loadEmbeddings(path, { precision: 'float64' });
      nearMatrix(embeddings, outputs.embeddings, tolerance, 'embeddings');
      same({ labels, filenames }, { labels: outputs.labels, filenames: outputs.filenames }, 'columns');
      return;
    }
    const save = () => saveEmbeddings(path, matrixOf(inputs.embeddings), inputs.labels, inputs.filenames);
    if (outputs.error) {
      await fails(save, 'save');
      await fails(() => readFile(path), 'no file is left');
      return;
    }
    await save();
    same(await readFile(path, 'utf8'), outputs.csv_text, 'text');
  });
}

async function checkDict({ params, inputs, outputs }: OracleCase): Promise<void> {
  await withFile(inputs.csv_text, async (path) => {
    const { dict } = await loadEmbeddingsAsDict(path, { embeddingName: params.embedding_name, precision: 'float64' });
    same(dict, outputs.dict, 'dict');
    if (params.embedding_name === 'default')
      same((await loadEmbeddingsAsDict(path)).dict, outputs.dict, 'default name');
  });
}

async function checkNames({ inputs, outputs }: OracleCase): Promise<void> {
  const check = () => checkFilenames(inputs.filenames);
  if (outputs.result?.error) await fails(check, 'check');
  else same(check(), undefined, 'check');
}

async function checkMetadata({ inputs, outputs }: OracleCase): Promise<void> {
  same(formatCustomMetadata(inputs.custom_metadata), JSON.parse(outputs.formatted_json), 'formatted');
  await withFile(undefined, async (path) => {
    await saveCustomMetadata(path, inputs.custom_metadata);
    same(await readFile(path, 'utf8'), outputs.saved_text, 'text');
  });
}

async function checkSchemaTasks({ params, inputs, outputs }: OracleCase): Promise<void> {
  await withFile(undefined, async (path) => {
    const save = () =>
      params.op === 'save_tasks'
        ? saveTasks(path, inputs.tasks)
        : saveSchema(path, inputs.task_type, inputs.ids, inputs.names);
    if (outputs.error) return void (await fails(save, 'save'));
    await save();
    same(await readFile(path, 'utf8'), outputs.saved_text, 'text');
  });
}

async function checkSort({ inputs, outputs }: OracleCase): Promise<void> {
  const sort = () => sortItemsByKeys<unknown, unknown>(inputs.keys, inputs.items, inputs.sorted_keys);
  if (outputs.error) await fails(sort, 'sort');
  else same(sort(), outputs.result, 'items');
}

async function checkVersion({ inputs, outputs }: OracleCase): Promise<void> {
  const compare = () => versionCompare(inputs.v0, inputs.v1);
  if (outputs.error) await fails(compare, 'compare');
  else same(compare(), outputs.result, 'order');
}

async function checkStd({ inputs, outputs, tolerance }: OracleCase): Promise<void> {
  const std = () => stdOfL2Normalized(Float32Array.from(inputs.z.data, Number), inputs.z.shape);
  if (outputs.error) await fails(std, 'std');
  else nearNumber(std(), outputs.std, tolerance, 'std');
}

function checkEye({ params, outputs, tolerance }: OracleCase): void {
  const mask = eyeRank(params.n, { rank: params.rank, size: params.world_size });
  same([params.n, mask.length / params.n], [...outputs.mask.shape], 'shape');
  near(mask, outputs.mask.data, tolerance, 'mask');
}

async function checkCosine({ params, outputs, tolerance, kind }: OracleCase): Promise<void> {
  const schedule = {
    maxSteps: params.max_steps,
    startValue: params.start_value,
    endValue: params.end_value,
    period: params.period ?? undefined,
  };
  if (kind === 'error') {
    await fails(() => cosineSchedule(params.step, { ...schedule, startValue: 1, endValue: 0 }), 'schedule');
    return;
  }
  const warmup = {
    ...schedule,
    warmupSteps: params.warmup_steps,
    warmupStartValue: params.warmup_start_value,
    warmupEndValue: params.warmup_end_value ?? undefined,
  };
  const at = (step: number) =>
    kind === 'cosine_schedule' ? cosineSchedule(step, schedule) : cosineWarmupSchedule(step, warmup);
  near(
    outputs.values_at_step.map((_: number, step: number) => at(step)),
    outputs.values_at_step,
    tolerance,
    'values',
  );
}

const corners = ({ x0, y0, x1, y1 }: BoundingBox) => [x0, y0, x1, y1];

async function checkBox({ params, inputs, outputs, tolerance }: OracleCase): Promise<void> {
  if (params.kind === 'read_yolo_label_file') {
    const { padding, separator } = params;
    const { classIds, boxes } = await withFile(inputs.text, (path) => readYoloLabels(path, { padding, separator }));
    same(classIds, outputs.class_ids, 'classes');
    near(boxes.flatMap(corners), outputs.boxes.flat(), tolerance, 'boxes');
    return;
  }
  const [a, b, c, d] = inputs.args as number[];
  const make = () => {
    if (params.kind === 'xywh') return boxFromCorner(a, b, c, d);
    return params.kind === 'yolo' ? boxFromCenter(a, b, c, d) : boundingBox(a, b, c, d);
  };
  if (outputs.error) {
    const { message } = await fails(make, 'box');
    same(/x0 must|y0 must/.exec(message)?.[0], /x0 must|y0 must/.exec(outputs.message)?.[0], 'reason');
    return;
  }
  const box = make();
  near(corners(box), outputs.box, tolerance, 'box');
  nearNumber(boxWidth(box), outputs.width, tolerance, 'width');
  nearNumber(boxHeight(box), outputs.height, tolerance, 'height');
  nearNumber(boxArea(box), outputs.area, tolerance, 'area');
}

/** Columns agree up to their sign, which is free. */
function nearUpToSign({ data, rows, columns }: Matrix, want: OracleTensor, tolerance: number, what: string): void {
  same([rows, columns], [...want.shape], `${what}: shape`);
  const column = (values: ArrayLike<number | string>, j: number) =>
    Array.from({ length: rows }, (_, i) => Number(values[i * columns + j]));
  for (let j = 0; j < columns; j++) {
    const [got, expected] = [column(data, j), column(want.data, j)];
    const sign = got.reduce((sum, x, i) => sum + x * expected[i], 0) < 0 ? -1 : 1;
    near(
      got.map((x) => x * sign),
      expected,
      tolerance,
      `${what}, column ${j}`,
    );
  }
}

/** Components as columns, as many as there are. */
const axesOf = ({ axes }: Pca): Matrix => ({
  data: Float64Array.from({ length: axes[0].length * axes.length }, (_, i) => {
    return axes[i % axes.length][Math.floor(i / axes.length)];
  }),
  rows: axes[0].length,
  columns: axes.length,
});

const firstColumns = ({ shape: [rows, columns], dtype, data }: OracleTensor, count: number): OracleTensor => ({
  shape: [rows, count],
  dtype,
  data: data.filter((_, i) => i % columns < count),
});

async function checkPca({ params, inputs, outputs, tolerance, kind }: OracleCase): Promise<void> {
  const X: Matrix = inputs.X && matrixOf(inputs.X);
  const { n_components: components, fraction } = params;
  const shared = fraction === null ? {} : { fraction };
  if (kind === 'error') {
    const one = { data: new Float32Array(3), rows: 1, columns: 3 };
    await fails(() => new Pca({ components }).transform(one), 'transform before fit');
    return;
  }
  if (kind === 'fit_pca_validation') {
    const some = { data: Float32Array.of(1, 2, 3, 5), rows: 2, columns: 2 };
    if (outputs.result?.error) await fails(() => fitPca(some, shared), 'fraction');
    else same(fitPca(some, shared).axes.length, 2, 'components');
    return;
  }
  const all = kind === 'fit_pca' ? undefined : new Pca({ components: X.columns }).fit(X);
  const fitted =
    kind === 'fit_pca'
      ? fitPca(X, { components, ...shared, permutation: inputs.permutation.data })
      : new Pca({ components }).fit(X);
  near(fitted.mean, outputs.mean.data, tolerance, 'mean');
  if (all) {
    nearUpToSign(axesOf(all), outputs.w, tolerance, 'w');
    near(all.eigenvalues, outputs.eigenvalues.data, tolerance, 'eigenvalues');
    nearUpToSign(fitted.transform(matrixOf(inputs.X_new)), outputs.transform_X_new, tolerance, 'transform of new rows');
  }
  nearUpToSign(axesOf(fitted), firstColumns(outputs.w, components), tolerance, 'components');
  nearUpToSign(fitted.transform(X), outputs.transform_X, tolerance, 'transform');
}

const file = (name: string) => new RegExp(`^lightly_utils/${name}\\.json$`);

export default [
  { pattern: file('check_embeddings'), check: checkCheck },
  { pattern: file('save_load_embeddings'), check: checkSaveLoad },
  { pattern: file('load_embeddings_as_dict'), check: checkDict },
  { pattern: file('check_filenames'), check: checkNames },
  { pattern: file('format_custom_metadata'), check: checkMetadata },
  { pattern: file('save_schema_tasks'), check: checkSchemaTasks },
  { pattern: file('sort_items_by_keys'), check: checkSort },
  { pattern: file('version_compare'), check: checkVersion },
  { pattern: file('std_of_l2_normalized'), check: checkStd },
  { pattern: file('eye_rank'), check: checkEye },
  { pattern: file('cosine_schedules'), check: checkCosine },
  { pattern: file('bounding_box'), check: checkBox },
  { pattern: file('pca'), check: checkPca },
] satisfies readonly Checker[];
