/** Which backends work here. Asked without waiting: suites are defined at once. */
import { askAdapter } from '../../runtime/tensor/backends/webgpu/adapter.ts';
import { isBuilt } from '../../runtime/tensor/native/cache.ts';
import { locateLibtorch } from '../../runtime/tensor/native/locate.ts';
import { chooseBinding } from '../../runtime/tensor/native/tensorflow/choose.ts';

const checks: Readonly<Record<string, () => void>> = {
  torch() {
    if (!isBuilt(locateLibtorch())) throw new Error('the add-on is not built: pipe backends build torch');
  },
  tensorflow: () => void chooseBinding(),
  webgpu() {
    const answer = askAdapter();
    if ('reason' in answer) throw new Error(answer.reason);
  },
};

/** Why the backend does not work here; null: it does. */
function problemOf(backend: string): string | null {
  try {
    checks[backend]?.();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
const problems = new Map<string, string | null>();

/** @returns whether the backend is missing; then how many tests are not run, and why, has been said */
export function reportMissing(backend: string, title: string, define: () => void): boolean {
  if (!problems.has(backend)) problems.set(backend, problemOf(backend));
  const problem = problems.get(backend)!;
  if (problem === null) return false;
  process.stderr.write(`${title}: no ${backend} backend here: ${countTests(define)} tests not run (${problem})\n`);
  return true;
}

/** A suite that needs this backend. Where it is missing, the tests do not exist: their number and the reason are printed. */
export function withBackend(backend: string, title: string, define: () => void): void {
  if (!reportMissing(backend, title, define)) describe(title, define);
}

/** Define a suite with the functions of mocha replaced: nothing of it is registered. */
export function countTests(define: () => void): number {
  let count = 0;
  const stubs: Record<string, unknown> = {
    describe: (_title: string, inner: () => void) => inner(),
    it: () => {
      count++;
      return { timeout: () => {} };
    },
  };
  for (const hook of ['before', 'after', 'beforeEach', 'afterEach']) stubs[hook] = () => {};
  const scope = globalThis as unknown as Record<string, unknown>;
  const saved = Object.fromEntries(Object.keys(stubs).map((name) => [name, scope[name]]));
  Object.assign(scope, stubs);
  try {
    define();
  } finally {
    Object.assign(scope, saved);
  }
  return count;
}
