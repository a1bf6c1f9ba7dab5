import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { availableBackends, backendNames, openBackend } from '../../runtime/tensor/backend.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('backends', () => {
  it('are listed with device and version, or with what is missing', async () => {
    const states = await availableBackends();
    assert.deepEqual(
      states.map((state) => state.name),
      backendNames,
    );
    for (const state of states) {
      if (state.available) assert.ok(state.device && state.version, state.name);
      else assert.ok(state.reason && state.cure, state.name);
    }
    const byName = new Map(states.map((state) => [state.name, state]));
    assert.ok(byName.get('wasm')?.available && byName.get('cpu')?.available, 'both come with the project');
  });

  it('asking for them loads no tensor library', () => {
    const program = `
      import { createRequire } from 'node:module';
      import { availableBackends } from './runtime/tensor/backend.ts';
      await availableBackends();
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('@tensorflow'));
      console.log(JSON.stringify(loaded.filter((path) => !path.endsWith('package.json'))));`;
    const output = execFileSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', program], {
      cwd: root,
    });
    assert.deepEqual(JSON.parse(output.toString()), []);
  });

  it('open once, switch, and refuse unknown names', async () => {
    const cpu = await openBackend('cpu');
    const wasm = await openBackend('wasm');
    assert.equal(await openBackend('cpu'), cpu);
    assert.equal(cpu.tf.getBackend(), 'cpu');
    wasm.activate();
    assert.equal(cpu.tf.getBackend(), 'wasm');
    assert.equal(wasm.name, 'wasm');
    assert.match(wasm.device, /SIMD/);
    await assert.rejects(openBackend('cuda'), /no backend 'cuda'; known: .*wasm/);
  });

  it('wasm has every kernel of cpu that training meets', async () => {
    const [cpu, wasm] = [await openBackend('cpu'), await openBackend('wasm')];
    const missing = [...cpu.kernels()].filter((kernel) => !wasm.kernels().has(kernel));
    assert.deepEqual(missing.sort(), [
      ...['Complex', 'ComplexAbs', 'Draw', 'FFT', 'IFFT', 'Imag', 'RaggedGather', 'RaggedRange'],
      ...['RaggedTensorToTensor', 'Real', 'StaticRegexReplace'],
    ]);
  });
});

describe('tfjs', () => {
  it('is imported by runtime/tensor alone', () => {
    const offenders: string[] = [];
    for (const folder of ['bin', 'graph', 'nodes', 'runtime', 'examples', 'scripts']) {
      const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
      for (const entry of entries) {
        if (!entry.isFile() || !/\.(ts|js)$/.test(entry.name)) continue;
        const path = relative(root, join(entry.parentPath, entry.name));
        if (path.startsWith(join('runtime', 'tensor'))) continue;
        const text = readFileSync(join(root, path), 'utf8');
        const imports = text.matchAll(
          /(import\s+type\b[^;]*?|\bimport\b[^;]*?|\brequire)\(?\s*['"]@tensorflow\/[^'"]*['"]/g,
        );
        for (const [statement] of imports)
          if (!/^import\s+type\b/.test(statement)) offenders.push(`${path}: ${statement}`);
      }
    }
    assert.deepEqual(offenders, []);
  });
});
