// tfjs-core's own published test-suite, run on one of our backends.
// Usage: node test/tensor/conformance/run.js --backend torch|tensorflow|webgpu|wasm|cpu [--grep TEXT] [--list]
// Exit code 1 when a spec that is not excluded fails. --list also names the failed and the excluded specs.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.js';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: { backend: { type: 'string' }, grep: { type: 'string' }, list: { type: 'boolean', default: false } },
});
const known = ['cpu', 'wasm', 'torch', 'tensorflow', 'webgpu'];
if (!known.includes(values.backend)) {
  process.stderr.write(`--backend must be one of ${known.join(', ')}\n`);
  process.exit(2);
}
const specs = await bundle(values.backend);
const { status } = spawnSync(
  process.execPath,
  ['--import=tsx', join(here, 'jasmine.js'), values.backend, specs, values.grep ?? '', String(values.list)],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
