/** The kernels of tfjs's npm package for TensorFlow, on this process's tfjs-core. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import type * as tf from '@tensorflow/tfjs-core';

/** Load the package's kernels, which register themselves. */
export function registerPackageKernels(root: string, core: typeof tf): void {
  addRemovedFunctions();
  const require = createRequire(join(root, 'package.json'));
  // The package asks for the union of all of tfjs (layers, WebGL, gradients that would take the place of ours), of which
  // its kernels use the core alone; one that was fetched would bring a core of its own.
  const restore = ['@tensorflow/tfjs', '@tensorflow/tfjs-core'].map((name) => replace(require, name, core));
  try {
    require('./dist/register_all_kernels.js');
  } finally {
    for (const undo of restore) undo();
  }
}

/** Whoever requires `name` gets these exports, until the result is called. */
function replace(require: NodeJS.Require, name: string, exports: unknown): () => void {
  const id = require.resolve(name);
  const present = require.cache[id];
  require.cache[id] = { id, filename: id, loaded: true, exports } as NodeJS.Module;
  return () => {
    if (present) require.cache[id] = present;
    else delete require.cache[id];
  };
}

/** Node 23 took from `util` what the package calls. */
function addRemovedFunctions(): void {
  const removed = {
    isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
    isArray: Array.isArray,
  };
  const target = util as unknown as Record<string, unknown>;
  for (const [name, f] of Object.entries(removed)) target[name] ??= f;
}
