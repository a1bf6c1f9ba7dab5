/** Attributes of TensorFlow's operations. */
import type { Attribute } from './binding.ts';

/** TF_DataType */
export const dataType = {
  float32: 1,
  int32: 3,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
} as const;
export type DataTypeName = keyof typeof dataType;

export const text = (name: string, value: string): Attribute => ({ name, type: 0, value });
export const int = (name: string, value: number | readonly number[]): Attribute => ({ name, type: 1, value });
export const float = (name: string, value: number): Attribute => ({ name, type: 2, value });
export const bool = (name: string, value: boolean): Attribute => ({ name, type: 3, value });
export const type = (name: string, value: DataTypeName): Attribute => ({ name, type: 4, value: dataType[value] });
export const shape = (name: string, value: readonly number[]): Attribute => ({ name, type: 5, value });

/** The type of most operations' operands. */
export const floats: Attribute = type('T', 'float32');
