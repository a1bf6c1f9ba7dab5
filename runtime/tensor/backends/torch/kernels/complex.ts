/** Complex numbers and Fourier transforms, in libtorch's complex64. */
import type { Handle } from '../../../native/addon.ts';
import { aten, scalarType } from '../aten.ts';
import { cast, exact, h, result } from '../data.ts';
import type { Kernels } from '../register.ts';

const complex = aten('complex');
const viewAsReal = aten('view_as_real');
const select = aten('select.int');
const clone = aten('clone');
const abs = aten('abs');
const fft = aten('_fft_c2c');

/** torch's normalisation modes */
const UNSCALED = 0;
const BY_LENGTH = 2;

export const realPart = (z: Handle): Handle => clone(select(viewAsReal(z), -1, 0));

export const complexKernels: Kernels = {
  Complex: (inputs) => result(complex(exact(inputs.real), exact(inputs.imag)), 'complex64', inputs.real.shape),
  Real: ({ input }) => result(realPart(h(input)), 'float32', input.shape),
  Imag: ({ input }) => result(clone(select(viewAsReal(h(input)), -1, 1)), 'float32', input.shape),
  ComplexAbs: ({ x }) => result(abs(h(x)), 'float32', x.shape),
  FFT: ({ input }) =>
    result(fft(toComplex(h(input)), [input.shape.length - 1], UNSCALED, true), 'complex64', input.shape),
  IFFT: ({ input }) =>
    result(fft(toComplex(h(input)), [input.shape.length - 1], BY_LENGTH, false), 'complex64', input.shape),
};

const toComplex = (handle: Handle): Handle => cast(handle, scalarType.complex64);
