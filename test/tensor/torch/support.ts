import { isBuilt } from '../../../runtime/tensor/native/cache.ts';
import { locateLibtorch } from '../../../runtime/tensor/native/locate.ts';

/** Why the torch backend does not work here; null: it does. Asked without waiting: suites are defined at once. */
function torchProblem(): string | null {
  try {
    return isBuilt(locateLibtorch()) ? null : 'the add-on is not built: pipe backends build torch';
  } catch (error) {
    return (error as Error).message;
  }
}
const problem = torchProblem();

/** A suite that needs libtorch. Where it is missing, the tests do not exist: their number and the reason are printed. */
export function withTorch(title: string, define: () => void): void {
  if (!reportMissingTorch(title, define)) describe(title, define);
}

/** @returns whether libtorch is missing; then how many tests are not run has been said */
export function reportMissingTorch(title: string, define: () => void): boolean {
  if (problem === null) return false;
  process.stderr.write(`${title}: libtorch not found: ${countTests(define)} tests not run (${problem})\n`);
  return true;
}

/** Define a suite with the functions of mocha replaced: nothing of it is registered. */
function countTests(define: () => void): number {
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
