/** What datasets share. */
import { Type as T } from '#typebox';
import { type Shape, sample } from '../../graph/port.ts';

/** Every dataset gives samples. */
export const ports = { outputs: { samples: sample.sample() } } as const;

/** RGB pictures whose size differs from file to file. */
export const ANY_SIZE: Shape = [['H'], ['W'], [3]];

export const limit = {
  limit: T.Optional(T.Integer({ minimum: 1, description: 'use the first images only; default all' })),
};

/** Length of a dataset of known length after `limit`. */
export const limited = (length: number, most: number | undefined): number => Math.min(length, most ?? length);
