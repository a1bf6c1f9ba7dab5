/** The batch sources of a run, opened when they are first needed. */
import type { BatchSource, OpenSource } from './batches.ts';
import type { Plan } from './plan.ts';
import type { BatchProgram } from './program.ts';

export interface Sources {
  of(program: BatchProgram): Promise<BatchSource>;
  close(): Promise<void>;
}

export function createSources(plan: Plan, open: OpenSource): Sources {
  const opened = new Map<string, Promise<BatchSource>>();
  const training = new Set(plan.phases.filter((phase) => phase.training).map(({ source }) => source));
  return {
    of({ source }) {
      let promise = opened.get(source);
      if (!promise) {
        promise = open(plan.sources.get(source)!, training.has(source));
        opened.set(source, promise);
      }
      return promise;
    },
    async close() {
      const all = await Promise.allSettled(opened.values());
      await Promise.all(all.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)));
    },
  };
}
