import { isAbsolute, join, normalize } from 'node:path';
import type { GraphEvent, HookEvent, RunView } from '../../runtime/events.ts';
import { imageGrid } from '../../runtime/figures/image-grid.ts';
import { encodePng } from '../../runtime/figures/picture.ts';
import { defineNode, T } from '../../runtime/node.ts';
import type { Tensor } from '../../runtime/tensor/types.ts';
import { createEventFile, type EventFile } from '../../runtime/tensorboard/event-file.ts';
import { histogramOf } from '../../runtime/tensorboard/histogram.ts';
import { pictureOf } from '../../runtime/views/picture-of.ts';
import { isLogMoment } from './step-log.ts';

/**
 * Curves and histograms for TensorBoard, in VISSL's names. Waits for: start, phase_start (parameters before training),
 * backward (gradients), step (scalars, parameters), phase_end, end, exception; watches metrics.
 * Scalars at iteration 1, every `log_frequency` and every 5 of the first 100: Training/Loss, Training/Learning_rate (one
 * per group when they differ), Training/Weight_decay where a schedule moves it, Speed/…, Memory/…; Metrics/… of meters
 * and evaluators. Histograms Parameters/… and
 * Gradients/… at the end of each epoch (step: its number) and every n iterations (step: the iteration). Images/<phase>:
 * a grid of the first images of each pass, each from its least to its greatest value.
 * Differences from the reference code: memory is that of the process, on any device; learning rates are not rounded; the gradients of an
 * epoch are those of its last step. A resumed run tells TensorBoard to forget the steps that it does again.
 */
export default defineNode({
  type: 'hook/tensorboard',
  description: 'Writes curves and histograms for TensorBoard.',
  aliases: ['SSLTensorboardHook'],
  role: 'hook',
  params: T.Object({
    folder: T.String({ default: 'tensorboard', minLength: 1, description: 'below the run folder' }),
    log_frequency: T.Integer({ default: 10, minimum: 1, description: 'iterations between two points of a curve' }),
    log_params: T.Boolean({ default: true, description: 'histograms of parameters' }),
    log_params_gradients: T.Boolean({ default: true, description: 'histograms of gradients' }),
    log_params_every_n_iters: T.Integer({
      default: 310,
      minimum: -1,
      description: 'iterations between histograms within an epoch; -1 or 0: at ends of epochs only',
    }),
    images: T.Optional(
      T.String({ description: 'images to draw from the first batch of each pass, such as "test_batch.images"' }),
    ),
    num_images: T.Integer({ default: 6, minimum: 1, description: 'how many of them' }),
  }),
  show: ['log_frequency', 'log_params_every_n_iters'],
  create: ({ params }) => {
    let file: EventFile | undefined;
    let iteration = 0;
    const every = params.log_params_every_n_iters;
    const due = ({ progress }: HookEvent) => progress.training && every > 0 && progress.iteration % every === 0;
    // often: what a run said before it was stopped is in the file
    const flush = async () => file?.flush();
    const histograms = async (kind: string, tensors: Iterable<readonly [string, Tensor | null]>, step: number) => {
      for (const [parameter, tensor] of tensors) {
        const found = tensor && histogramOf(await tensor.data());
        if (found) file!.histogram(`${kind}/${parameter}`, found, step);
      }
    };
    const parameters = (run: RunView, step: number) =>
      histograms(
        'Parameters',
        [...run.parameters].map(([own, view]) => [own, view.value()]),
        step,
      );
    const gradients = (run: RunView, step: number) =>
      histograms(
        'Gradients',
        [...run.parameters].map(([own, view]) => [own, view.gradient()]),
        step,
      );
    const { images } = params;
    const drawFirst =
      (ref: string) =>
      async ({ progress }: HookEvent, run: RunView) => {
        if (!file || progress.step > 1) return;
        const output = run.output(ref);
        const tensor = (Array.isArray(output) ? output[0] : output) as Tensor | undefined;
        if (tensor) file.image(`Images/${progress.phase}`, await drawn(tensor, params.num_images), progress.iteration);
      };
    return {
      ...(images === undefined ? {} : { forward: drawFirst(images) }),
      async start({ progress }, run) {
        if (run.rank > 0) return;
        if (isAbsolute(params.folder) || normalize(params.folder).startsWith('..')) {
          throw new Error(`"${params.folder}" is not below the run folder. Give a relative path without ..`);
        }
        file = await createEventFile(join(run.out, params.folder));
        iteration = progress.iteration;
        if (iteration > 0) file.restart(iteration + 1);
        await flush();
      },
      async phase_start({ progress }, run) {
        if (file && progress.training && progress.epoch === 0 && params.log_params) await parameters(run, -1);
      },
      async backward(event, run) {
        if (!file || !params.log_params_gradients) return;
        const { progress } = event;
        if (due(event)) await gradients(run, progress.iteration);
        if (progress.step === progress.steps) await gradients(run, progress.epoch);
      },
      async step(event, run) {
        const { progress } = event;
        iteration = progress.iteration;
        if (!file || !progress.training) return;
        if (isLogMoment(iteration, params.log_frequency)) {
          for (const [tag, value] of scalars(event, run)) file.scalar(tag, value, iteration);
        }
        if (params.log_params && due(event)) await parameters(run, iteration);
        await flush();
      },
      async phase_end({ progress, metrics = {} }, run) {
        if (!file) return;
        // those of meters come with an event of their own
        const loss = metrics[`${progress.phase}_loss`];
        if (loss !== undefined) file.scalar(`Metrics/${progress.phase}_loss`, loss, iteration);
        if (progress.training && params.log_params) await parameters(run, progress.epoch);
        await flush();
      },
      end: flush,
      exception: flush,
      observe(event: GraphEvent) {
        if (event.type !== 'metrics') return;
        for (const [own, value] of Object.entries(event.metrics)) {
          file?.scalar(`Metrics/${own}`, value, event.progress.iteration);
        }
      },
    };
  },
});

/** Images side by side, in rows of about as many as there are rows. */
async function drawn(tensor: Tensor, most: number) {
  const { shape } = tensor;
  const count = Math.min(most, shape[0]);
  const data = (await tensor.data()) as Float32Array;
  const pictures = Array.from({ length: count }, (_, row) => pictureOf({ data, shape, dtype: 'float32' }, row));
  const across = Math.ceil(Math.sqrt(count));
  const rows = Array.from({ length: Math.ceil(count / across) }, (_, i) =>
    pictures.slice(i * across, (i + 1) * across),
  );
  const grid = imageGrid(rows);
  return { png: await encodePng(grid), width: grid.width, height: grid.height };
}

const MIB = 2 ** 20;

function scalars({ loss, lr, weightDecay, speed }: HookEvent, run: RunView): [tag: string, value: number][] {
  return [
    ...(loss === undefined ? [] : [['Training/Loss', loss] as [string, number]]),
    ...distinct('Training/Learning_rate', lr),
    ...distinct('Training/Weight_decay', weightDecay),
    ...(speed
      ? ([
          ['Speed/Batch_processing_time_ms', speed.mean],
          ['Speed/img_per_sec_per_gpu', speed.imagesPerSecond / run.ranks],
          ['Speed/ETA_hours', (speed.eta ?? 0) / 3600],
          ['Speed/Waiting_for_data_share', speed.waiting],
        ] as [string, number][])
      : []),
    ['Memory/Peak_process_MiB', (process.resourceUsage().maxRSS * 1024) / MIB],
  ];
}

/** One value under its name, several under numbered ones. */
function distinct(tag: string, values: readonly number[] = []): [tag: string, value: number][] {
  const different = [...new Set(values)];
  return different.map((value, i) => [different.length === 1 ? tag : `${tag}_${i}`, value]);
}
