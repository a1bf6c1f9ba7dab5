import type { FusedKernels } from '../../kernels.ts';
import { wasmConv } from './conv.ts';
import { Heap } from './heap.ts';
import { wasmNorm } from './norm.ts';
import { wasmPool } from './pool.ts';
import { registerWasmKernels } from './register.ts';
import { replaceKernels } from './replace.ts';
import { wasmRows } from './rows.ts';
import { wasmSgd } from './sgd.ts';

/** The fused kernels that beat the composed ones on wasm; tfjs's own convolution gradients come to run on them too. */
export function wasmKernels(): Partial<FusedKernels> {
  const heap = new Heap();
  const conv = wasmConv(heap);
  const pool = wasmPool(heap);
  registerWasmKernels({ ...conv, ...pool }, (backend) => heap.attach(backend));
  replaceKernels(heap);
  return { ...conv, ...pool, ...wasmNorm(heap), ...wasmSgd(heap), ...wasmRows(heap) };
}
