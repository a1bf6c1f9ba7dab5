import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Starts the module `name` beside `base` in a thread, from the sources or from the compiled files. */
export function startThread(name: string, base: string, options: WorkerOptions): Worker {
  if (!base.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, base), options);
  const module = new URL(`./${name}.ts`, base).href;
  return new Worker(new URL('./from-sources.mjs', import.meta.url), { ...options, argv: [module] });
}
