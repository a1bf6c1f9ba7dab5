/**
 * A convolution cut into regions: rectangles of output places for which the same filter places lie inside the input, so
 * that no kernel ever looks at padding. No tensors here.
 */
import type { ConvGeometry, Shape4 } from '../../geometry.ts';

/** What the kernels read: see assembly/region.ts and assembly/tile.ts. Offsets are bytes. */
export interface Region {
  readonly fields: readonly number[];
  /** triples: offset from a place's base, first k, length in k */
  readonly runs: readonly number[];
  /** Σ of the runs' lengths */
  readonly depth: number;
}

/** A filter place along one axis, as met from an output place: at base + offset on the other side. */
interface Tap {
  readonly place: number;
  readonly offset: number;
}

/** Neighbouring places along one axis that meet the same taps. */
interface Span {
  readonly begin: number;
  readonly length: number;
  readonly taps: readonly Tap[];
}

const FLOAT = 4;

/** Regions of the forward pass of one group: the source is the input, the target the output, k counts [kh, kw, C/g]. */
export const forwardRegions = remembered((g: ConvGeometry): Region[] => {
  const { input, filter, output, stride, padding, dilation, groups } = g;
  const [rows, columns] = ([0, 1] as const).map((axis) =>
    spans(output[axis + 1], (y) =>
      taps(filter[axis], (k) => {
        const at = y * stride[axis] - padding[axis] + k * dilation[axis];
        return at >= 0 && at < input[axis + 1] ? k * dilation[axis] : undefined;
      }),
    ),
  );
  const channels = filter[2];
  // along a row, neighbouring filter places meet neighbouring values: one run
  const joined = groups === 1 && dilation[1] === 1;
  return regions(rows, columns, (row, column) => {
    const line = joined ? column.taps.slice(0, 1) : column.taps;
    const length = joined ? column.taps.length * channels : channels;
    const runs = row.taps.flatMap((ky) =>
      line.flatMap((kx) => [
        (ky.offset * input[2] + kx.offset) * input[3] * FLOAT,
        (ky.place * filter[1] + kx.place) * channels,
        length,
      ]),
    );
    const source = [row.begin * stride[0] - padding[0], column.begin * stride[1] - padding[1]] as const;
    return region(
      row,
      column,
      side(input, source, stride),
      side(output, [row.begin, column.begin], [1, 1]),
      runs,
      output[0],
    );
  });
});

/**
 * Regions of the input's gradient of one group: the source is dy, the target the input, k counts [kh, kw, O/g]. With
 * stride s, input places s apart meet the same filter places; the s × s kinds are regions of their own.
 */
export const inputGradRegions = remembered((g: ConvGeometry): Region[] => {
  const { input, filter, output, stride, padding, dilation, groups } = g;
  const outputs = filter[3] / groups;
  const all: Region[] = [];
  for (let phaseY = 0; phaseY < Math.min(stride[0], input[1]); phaseY++) {
    for (let phaseX = 0; phaseX < Math.min(stride[1], input[2]); phaseX++) {
      const [rows, columns] = [phaseY, phaseX].map((phase, axis) =>
        spans(Math.ceil((input[axis + 1] - phase) / stride[axis]), (t) =>
          taps(filter[axis], (k) => {
            const distance = phase + padding[axis] - k * dilation[axis];
            if (distance % stride[axis] !== 0) return undefined;
            const at = t + distance / stride[axis];
            return at >= 0 && at < output[axis + 1] ? distance / stride[axis] : undefined;
          }),
        ),
      );
      const made = regions(rows, columns, (row, column) => {
        const runs = row.taps.flatMap((ky) =>
          column.taps.flatMap((kx) => [
            (ky.offset * output[2] + kx.offset) * output[3] * FLOAT,
            (ky.place * filter[1] + kx.place) * outputs,
            outputs,
          ]),
        );
        const target = [row.begin * stride[0] + phaseY, column.begin * stride[1] + phaseX] as const;
        return region(
          row,
          column,
          side(output, [row.begin, column.begin], [1, 1]),
          side(input, target, stride),
          runs,
          input[0],
        );
      });
      all.push(...made);
    }
  }
  return all;
});

/** Geometries kept: far more than one model has. */
const REMEMBERED = 1000;

function remembered(make: (g: ConvGeometry) => Region[]): (g: ConvGeometry) => Region[] {
  const known = new Map<string, Region[]>();
  return (g) => {
    const key = [g.input, g.filter, g.stride, g.padding, g.dilation, g.groups].join();
    let made = known.get(key);
    if (!made) {
      if (known.size === REMEMBERED) known.clear();
      made = make(g);
      known.set(key, made);
    }
    return made;
  };
}

function spans(count: number, tapsOf: (place: number) => Tap[]): Span[] {
  const found: { begin: number; length: number; taps: Tap[]; key: string }[] = [];
  for (let place = 0; place < count; place++) {
    const taps = tapsOf(place);
    const key = taps.map((tap) => tap.place).join();
    const last = found.at(-1);
    if (last?.key === key) last.length++;
    else found.push({ begin: place, length: 1, taps, key });
  }
  return found;
}

function taps(count: number, offset: (place: number) => number | undefined): Tap[] {
  const met: Tap[] = [];
  for (let place = 0; place < count; place++) {
    const at = offset(place);
    if (at !== undefined) met.push({ place, offset: at });
  }
  return met;
}

const regions = (rows: Span[], columns: Span[], make: (row: Span, column: Span) => Region): Region[] =>
  rows.flatMap((row) => columns.map((column) => make(row, column)));

/** Offsets on one side: of the region's first place, per image, per row, per column. */
function side(shape: Shape4, begin: readonly [number, number], step: readonly [number, number]): number[] {
  const [, height, width, channels] = shape;
  const pixel = channels * FLOAT;
  return [(begin[0] * width + begin[1]) * pixel, height * width * pixel, step[0] * width * pixel, step[1] * pixel];
}

function region(row: Span, column: Span, source: number[], target: number[], runs: number[], images: number): Region {
  let depth = 0;
  for (let i = 2; i < runs.length; i += 3) depth += runs[i];
  const count = runs.length / 3;
  return { fields: [images, row.length, column.length, ...source, ...target, count, depth], runs, depth };
}
