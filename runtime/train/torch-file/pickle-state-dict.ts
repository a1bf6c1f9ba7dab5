/** The pickle (protocol 2) of a dict of tensors, as torch.save writes it. */
import type { TorchDtype } from './tensors.ts';
import type { TorchSource } from './write.ts';

const STORAGE: Readonly<Record<TorchDtype, string>> = {
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int16: 'ShortStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
  complex64: 'ComplexFloatStorage',
  complex128: 'ComplexDoubleStorage',
};

export function pickleStateDict(
  tensors: readonly TorchSource[],
  keys: readonly string[],
  beside: Readonly<Record<string, boolean | string>>,
): Buffer {
  const out: Buffer[] = [Buffer.from([0x80, 2])];
  const code = (...parts: (string | number | Buffer)[]): void => {
    for (const part of parts) {
      out.push(
        Buffer.isBuffer(part) ? part : typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part, 'latin1'),
      );
    }
  };
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const text = (value: string): void => {
    const bytes = Buffer.from(value);
    code('X', u32(bytes.length), bytes);
  };
  const int = (value: number): void => {
    const long = Buffer.alloc(8);
    long.writeBigInt64LE(BigInt(value));
    if (value < 0x80000000) code('J', u32(value));
    else code(0x8a, 8, long);
  };
  const tuple = (values: readonly number[]): void => {
    code('(');
    for (const value of values) int(value);
    code('t');
  };
  const orderedDict = (): void => code('ccollections\nOrderedDict\n', ')', 'R');

  const tensor = ({ dtype, shape }: TorchSource, key: number): void => {
    const size = shape.reduce((product, n) => product * n, 1);
    code('ctorch._utils\n_rebuild_tensor_v2\n', '(', '(');
    text('storage');
    code(`ctorch\n${STORAGE[dtype]}\n`);
    text(String(key));
    text('cpu');
    int(size);
    code('t', 'Q');
    int(0);
    tuple(shape);
    tuple(shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1)));
    code(0x89);
    orderedDict();
    code('t', 'R');
  };

  for (const [i, key] of keys.entries()) {
    code('}');
    code('(');
    if (i === keys.length - 1) {
      for (const [name, value] of Object.entries(beside)) {
        text(name);
        if (typeof value === 'string') text(value);
        else code(value ? 0x88 : 0x89);
      }
    }
    text(key);
  }
  orderedDict();
  code('(');
  for (const [i, source] of tensors.entries()) {
    text(source.name);
    tensor(source, i);
  }
  code('u');
  for (const _ of keys) code('u');
  code('.');
  return Buffer.concat(out);
}
