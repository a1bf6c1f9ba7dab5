/** Messages and the choice of a device: no adapter is needed here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deviceName, factsOf, noAdapter, unfit } from '../../../runtime/tensor/backends/webgpu/adapter.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const limits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
};
const adapter = (info: object, more: object = {}, features = ['core-features-and-limits']) =>
  factsOf({
    info: { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false, ...info },
    features: new Set(features),
    limits: { ...limits, ...more },
  });

/** What the backend says of itself in a process of its own, after `before`. */
function probed(before: string, env: NodeJS.ProcessEnv = {}): Record<string, unknown> {
  const program = `${before}
    const { backendState } = await import('./runtime/tensor/backend.ts');
    console.log(JSON.stringify(await backendState('webgpu')));`;
  const output = execFileSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', program], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

describe('webgpu: adapters', function () {
  this.timeout(180_000); // processes on a machine that others use

  it('a GPU is named with its interface; one that is software never passes for a GPU', () => {
    assert.match(deviceName(adapter({ description: 'Radeon 780M' })), /^GPU, Radeon 780M, (Vulkan|Metal|Direct3D 12)$/);
    assert.match(deviceName(adapter({ vendor: 'intel', architecture: 'xe' })), /^GPU, intel xe, /);
    for (const description of ['SwiftShader', 'llvmpipe', 'a Vulkan GPU by CUDA and Metal']) {
      const name = deviceName(adapter({ description, isFallbackAdapter: true }));
      assert.match(name, /^CPU by a software adapter, /);
      assert.doesNotMatch(name, /gpu|cuda|metal|vulkan/i); // what --require gpu looks for
    }
  });

  it('without a needed feature or limit: what is lacking, and what to do', () => {
    assert.equal(unfit(adapter({ description: 'X' })), null);
    const old = unfit(adapter({ description: 'X' }, {}, ['texture-compression-bc']))!;
    assert.equal(old.reason, 'the adapter X lacks the feature core-features-and-limits');
    const small = unfit(adapter({ description: 'X' }, { maxComputeInvocationsPerWorkgroup: 128 }))!;
    assert.equal(small.reason, 'the adapter X has maxComputeInvocationsPerWorkgroup 128, and 256 is needed');
    assert.ok(unfit(adapter({ description: 'X' }, { maxBufferSize: undefined })), 'a limit that it does not know');
    for (const { cure } of [old, small]) assert.match(cure, /driver.*another GPU.*--device wasm/);
  });

  it('a package that is missing is named, with its installation', () => {
    for (const [missing, is] of [
      [['webgpu'], 'webgpu is'],
      [['@tensorflow/tfjs-backend-webgpu'], '@tensorflow/tfjs-backend-webgpu is'],
      [['webgpu', '@tensorflow/tfjs-backend-webgpu'], 'webgpu and @tensorflow/tfjs-backend-webgpu are'],
    ] as const) {
      const state = probed(`
        import Module from 'node:module';
        const resolve = Module._resolveFilename;
        Module._resolveFilename = (name, ...rest) => {
          if (${JSON.stringify(missing)}.some((pack) => name === pack + '/package.json')) throw new Error('missing');
          return resolve(name, ...rest);
        };`);
      assert.deepEqual(state, {
        name: 'webgpu',
        available: false,
        reason: `${is} not installed`,
        cure: `npm install ${missing.join(' ')}`,
      });
    }
  });

  if (process.platform === 'linux') {
    it('without a driver there is no adapter: said in a sentence, nothing of the library’s own words', () => {
      const state = probed('', { VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' });
      if (/not installed/.test(String(state.reason))) return assert.match(String(state.cure), /^npm install /);
      assert.deepEqual([state.available, state.reason, state.cure], [false, noAdapter.reason, noAdapter.cure]);
    });
  }
});
