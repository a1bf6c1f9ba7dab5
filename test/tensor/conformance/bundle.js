// One file of the backend and every test of tfjs-core, so that both see the same copy of tfjs-core.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const require = createRequire(import.meta.url);
const wasm = join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist');
const core = join(dirname(require.resolve('@tensorflow/tfjs-core/package.json')), 'dist');

const entry = (backend) => `
  import '${core}/public/chained_ops/register_all_chained_ops.js';
  import '${core}/register_all_gradients.js'; // ours, registered when the backend opens, take their places
  import * as kernelNames from '${core}/kernel_names.js';
  import { getGradient } from '${core}/index.js';
  import { setTestEnvs } from '${core}/jasmine_util.js';
  import opener from '${root}/runtime/tensor/backends/${backend}.ts';
  const stock = Object.values(kernelNames).map((name) => [name, getGradient(name)]).filter(([, gradient]) => gradient);
  const state = await opener.probe();
  if (!state.available) {
    process.stderr.write(state.reason + ': ' + state.cure + '\\n');
    process.exit(2);
  }
  const { device, version } = await opener.open({});
  const borrowed = stock.filter(([name, gradient]) => getGradient(name) === gradient).map(([name]) => name);
  console.log('${backend} ' + version + ': ' + device + '; gradients of tfjs-core itself: ' + borrowed.join(' '));
  setTestEnvs([{ name: '${backend}', backendName: '${backend}', isDataSync: true }]);
  await import('${core}/tests.js');
`;

/** @returns path of the bundle */
export async function bundle(backend) {
  // inside node_modules, so that packages which look for their own files find them
  const outfile = join(root, `node_modules/.cache/conformance/${backend}.mjs`);
  mkdirSync(dirname(outfile), { recursive: true });
  for (const name of readdirSync(wasm).filter((file) => file.endsWith('.wasm'))) {
    copyFileSync(join(wasm, name), join(dirname(outfile), name)); // looked for beside the code
  }
  await build({
    stdin: { contents: entry(backend), resolveDir: root },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    ignoreAnnotations: true, // the package calls its tests free of side effects
    mainFields: ['module', 'main'],
    alias: { '@tensorflow/tfjs-core': join(core, 'index.js') },
    external: ['webgpu'], // loads a library that lies beside it
    plugins: [nativeOutside],
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url); const __dirname = import.meta.dirname;",
    },
    logLevel: 'error',
  });
  return outfile;
}

/** The add-on's loader finds its sources by its own place. */
const nativeOutside = {
  name: 'native-outside',
  setup({ onResolve }) {
    onResolve({ filter: /native\/(\w+\/)?\w+\.ts$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path),
      external: true,
    }));
  },
};
