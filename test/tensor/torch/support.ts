import { availableBackends } from '../../../runtime/tensor/backend.ts';
import { countTests } from '../support.ts';

const torch = (await availableBackends()).find(({ name }) => name === 'torch')!;

/** A suite that needs libtorch. Where it is missing, the tests do not exist: their number and the reason are printed. */
export function withTorch(title: string, define: () => void): void {
  if (torch.available) describe(title, define);
  else process.stderr.write(`${title}: ${countTests(define)} tests not run: ${torch.reason}\n`);
}
