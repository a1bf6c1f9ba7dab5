/**
 * A pass over a phase's batches without gradient: for banks, and for hooks that ask. Models are in evaluation mode, unless
 * the facts say training.
 */
import type { StepFacts } from '../node.ts';
import { shareBuffers } from './agree.ts';
import type { BatchSource } from './batches.ts';
import type { BatchProgram } from './program.ts';
import { runNode } from './run-node.ts';
import type { BatchHost } from './step.ts';
import { createEdgeValues, type EdgeValues, upload } from './values.ts';

export interface PassOptions {
  readonly program: BatchProgram;
  readonly source: BatchSource;
  readonly facts: StepFacts;
  readonly signal: AbortSignal;
  /** with the values that the program keeps; they are freed when it returns */
  onBatch?(values: EdgeValues): void | Promise<void>;
  /** between batches; throws to end the pass */
  check(): void | Promise<void>;
}

export async function runPass(host: BatchHost, options: PassOptions): Promise<void> {
  const { program, source, facts, signal } = options;
  const { backend, now, timing } = host;
  await shareBuffers(host, host.running);
  let position = 0;
  // before the first epoch a pass of training has draws of its own, so that what it fills is not of the same views
  const epoch = facts.training ? facts.epoch : Math.max(facts.epoch, 0);
  const batches = source.open({ epoch, start: 0, training: false, signal });
  for await (const batch of batches) {
    await options.check();
    host.running.moment('pass', facts.phase, facts.epoch, position);
    position++;
    await backend.scopeAsync(async () => {
      const values = createEdgeValues(backend, host.once);
      upload(backend, program.source, batch, program.copies, values);
      batch.release();
      for (const step of program.steps) {
        if (step.kind !== 'node') continue;
        const start = now();
        await host.streams.run(step.stream, () => runNode(host, step, values, facts));
        timing({ node: step.node.name, stream: step.stream, stage: 'forward', start, end: now() });
        values.free(step.frees);
      }
      await options.onBatch?.(values);
    });
  }
}
