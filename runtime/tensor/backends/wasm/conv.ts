/** Convolution and its gradients by own kernels: groups, strides and dilation without padding or im2col in memory. */
import * as tf from '@tensorflow/tfjs-core';
import { composedConv, isDepthwise } from '../../composed/conv.ts';
import type { ConvGeometry } from '../../geometry.ts';
import type { FusedKernels } from '../../kernels.ts';
import type { Tensor } from '../../types.ts';
import { depthwiseFilterGrad, depthwiseInputGrad } from './depthwise.ts';
import type { Heap } from './heap.ts';
import { forwardRegions, inputGradRegions, type Region } from './regions.ts';

type Conv = Pick<FusedKernels, 'conv2d' | 'conv2dInputGrad' | 'conv2dFilterGrad'>;

const FLOAT = 4;
/** Packed rows should stay in the second-level cache. */
const ROW_BYTES = 512 * 1024;
/** assembly/conv.ts: places packed at once for the filter's gradient */
const BLOCK = 256;
const TILE = 128;

/** Depthwise with one output per channel. */
const isSingle = (g: ConvGeometry): boolean => isDepthwise(g) && g.filter[3] === g.groups;

const panelBytes = (columns: number, depth: number) => Math.ceil(columns / 8) * 8 * depth * FLOAT;

export function wasmConv(heap: Heap): Conv {
  /** Products of each region's rows with packed columns, group by group. */
  const convolve = (
    source: Tensor,
    target: Tensor,
    regions: readonly Region[],
    depth: number,
    columns: number,
    groups: number,
    pack: (group: number, to: number) => void,
  ): void => {
    const deepest = Math.max(4, ...regions.map((r) => r.depth));
    const rows = Math.max(8, Math.min(128, Math.floor(ROW_BYTES / (deepest * FLOAT * 4)) * 4));
    const plan = planBytes(regions);
    const columnsAt = heap.scratch(plan + panelBytes(columns, depth) + rows * deepest * FLOAT + TILE) + plan;
    const scratch = columnsAt + panelBytes(columns, depth);
    const placed = writePlan(heap, regions, columnsAt - plan);
    const sourceStep = (source.shape[3]! / groups) * FLOAT;
    const targetStep = (target.shape[3]! / groups) * FLOAT;
    for (let group = 0; group < groups; group++) {
      pack(group, columnsAt);
      const from = heap.at(source) + group * sourceStep;
      const to = heap.at(target) + group * targetStep;
      for (const { fields, runs } of placed) {
        heap.kernels.convolveRegion(from, to, fields, runs, columnsAt, depth, columns, scratch, rows);
      }
    }
  };

  return {
    conv2d(x, filter, bias, g) {
      if (isDepthwise(g)) return composedConv.conv2d(x, filter, bias, g);
      const y = heap.output(g.output);
      const [kh, kw, channels, outputs] = g.filter;
      const depth = kh * kw * channels;
      const columns = outputs / g.groups;
      convolve(x, y, forwardRegions(g), depth, columns, g.groups, (group, to) => {
        heap.kernels.packColumns(heap.at(filter) + group * columns * FLOAT, outputs, depth, columns, to);
      });
      return bias ? tf.add(y, bias) : y;
    },

    conv2dInputGrad(dy, filter, g) {
      if (isSingle(g)) return depthwiseInputGrad(heap, dy, filter, g);
      if (isDepthwise(g)) return composedConv.conv2dInputGrad(dy, filter, g);
      const dx = heap.output(g.input);
      const [kh, kw, channels, outputs] = g.filter;
      const perGroup = outputs / g.groups;
      const depth = kh * kw * perGroup;
      convolve(dy, dx, inputGradRegions(g), depth, channels, g.groups, (group, to) => {
        const from = heap.at(filter) + group * perGroup * FLOAT;
        heap.kernels.packFilterTransposed(from, kh * kw, channels, outputs, perGroup, to);
      });
      return dx;
    },

    conv2dFilterGrad(x, dy, g) {
      if (isSingle(g)) return depthwiseFilterGrad(heap, x, dy, g);
      if (isDepthwise(g)) return composedConv.conv2dFilterGrad(x, dy, g);
      const [, , channels, outputs] = g.filter;
      const gradient = heap.zeros(g.filter);
      const regions = forwardRegions(g);
      const columns = outputs / g.groups;
      const longest = Math.max(4, ...regions.flatMap(({ runs }) => runs.filter((_, i) => i % 3 === 2)));
      const plan = planBytes(regions);
      const bytes = plan + 256 + BLOCK * FLOAT * (columns + 8 + longest + 4);
      const base = heap.scratch(bytes);
      const placed = writePlan(heap, regions, base);
      for (let group = 0; group < g.groups; group++) {
        const from = heap.at(x) + group * channels * FLOAT;
        const to = heap.at(dy) + group * columns * FLOAT;
        const at = heap.at(gradient) + group * columns * FLOAT;
        for (const { fields, runs } of placed) {
          heap.kernels.accumulateFilter(from, to, fields, runs, at, outputs, columns, base + plan);
        }
      }
      return gradient;
    },
  };
}

const aligned = (bytes: number) => Math.ceil(bytes / 16) * 16;

function planBytes(regions: readonly Region[]): number {
  return aligned(regions.reduce((sum, { fields, runs }) => sum + (fields.length + runs.length) * FLOAT, 0));
}

/** Write the regions' descriptions into memory; returns where they are. */
function writePlan(heap: Heap, regions: readonly Region[], at: number): { fields: number; runs: number }[] {
  let next = at;
  return regions.map(({ fields, runs }) => {
    const placed = { fields: next, runs: next + fields.length * FLOAT };
    heap.writeIntegers([...fields, ...runs], next);
    next = placed.runs + runs.length * FLOAT;
    return placed;
  });
}
