/**
 * The same graph as JSON, built in TypeScript: run it, listen to its events.
 *   npx tsx examples/program.ts [folder for the run]
 */
import { argv } from 'node:process';
import { type HookEvent, type PipelineDocument, startPipeline } from 'pipe-ssl';
import { filter } from 'rxjs';

const pipeline: PipelineDocument = {
  name: 'program',
  extends: 'quick/swav',
  knobs: { train_images: 256, test_images: 64, epochs: 2, batch_size: 32 },
  nodes: { trunk: { width_multiplier: 0.125 } },
  run: { evaluate: ['end'] },
};

const run = startPipeline(pipeline, { out: argv[2] ?? 'runs/program' });
run.events.pipe(filter((event): event is HookEvent => event.type === 'step')).subscribe(({ progress, loss }) => {
  process.stdout.write(
    `epoch ${progress.epoch + 1} step ${progress.step}/${progress.steps}: loss ${loss?.toFixed(4)}\n`,
  );
});
const { status, metrics } = await run.finished;
process.stdout.write(`${status} ${JSON.stringify(metrics)}\n`);
