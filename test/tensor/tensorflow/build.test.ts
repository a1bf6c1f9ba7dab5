/** What finding TensorFlow and building its binding say where something is missing. Nothing here needs TensorFlow. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../../runtime/package.ts';
import { bindingPath, buildTensorflow } from '../../../runtime/tensor/native/tensorflow/build.ts';
import { chooseBinding, nvidiaGpus } from '../../../runtime/tensor/native/tensorflow/choose.ts';
import { locateTensorflow } from '../../../runtime/tensor/native/tensorflow/locate.ts';
import { fetchPackage, locatePackage } from '../../../runtime/tensor/native/tensorflow/package.ts';

describe('finding TensorFlow and building its binding', () => {
  let folder: string;
  const saved = { ...process.env };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tensorflow-'));
    process.env.PIPE_CACHE = join(folder, 'cache');
    // the npm package as it lies in the cache once it was fetched: what npm installed beside this one may be there or not
    tfjsPackage('cache/tensorflow/package');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    process.env = { ...saved };
  });

  const file = (path: string, text: string): string => {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    return full;
  };
  const script = (name: string, text: string): string => {
    const path = file(name, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  function tfjsPackage(parent: string): void {
    const root = `${parent}/node_modules/@tensorflow/tfjs-node-gpu`;
    file(`${root}/package.json`, '{ "version": "4.22.0" }');
    file(`${root}/binding/tfjs_binding.cc`, '');
  }
  /** A folder that looks like the package of this TensorFlow in a Python. */
  function tensorflow(version = '2.21.0'): string {
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) file(`site/tensorflow/${name}`, '');
    file('site/tensorflow/include/tensorflow/c/eager/c_api.h', '');
    file(`site/tensorflow_cpu-${version}.dist-info/METADATA`, '');
    file('site/tensorflow_datasets-4.9.7.dist-info/METADATA', '');
    process.env.LIBTENSORFLOW = join(folder, 'site/tensorflow');
    return process.env.LIBTENSORFLOW;
  }

  it('reads the version and the kind from the folder', () => {
    tensorflow();
    assert.deepEqual(locateTensorflow().version, [2, 21, 0]);
    assert.equal(locateTensorflow().cuda, false);
    file('site/tensorflow/python/platform/build_info.py', "OrderedDict([('is_cuda_build', True)])");
    assert.equal(locateTensorflow().cuda, true);
  });

  it('asks the Python that $PYTHON names, without importing anything', () => {
    const root = tensorflow();
    const python = script('python', `case "$2" in *tensorflow*) echo ${root};; esac`);
    assert.equal(locateTensorflow({ PYTHON: python }).root, root);
  });

  it('says what is wrong with a folder, in one sentence with the cure', () => {
    const root = join(folder, 'site/tensorflow');
    const problem = (message: RegExp) =>
      assert.throws(
        () => locateTensorflow({ LIBTENSORFLOW: root }),
        (error: Error) =>
          message.test(error.message) &&
          /: install TensorFlow \(pip install tensorflow\), or set LIBTENSORFLOW/.test(error.message),
      );
    problem(/^LIBTENSORFLOW names .*, which does not exist/);
    file('site/tensorflow/libtensorflow_cc.so.2', '');
    problem(/^LIBTENSORFLOW at .* has no libtensorflow library/);
    file('site/tensorflow/libtensorflow_framework.so.2', '');
    problem(/^LIBTENSORFLOW at .* has libraries but no C headers/);
    file('site/tensorflow/include/tensorflow/c/eager/c_api.h', '');
    problem(/^LIBTENSORFLOW at .* does not say its version/);
    tensorflow('2.8.4');
    problem(/^LIBTENSORFLOW at .* is version 2\.8\.4, older than 2\.9/);
  });

  it('the device stops with that sentence, and auto goes on', () => {
    tensorflow();
    assert.throws(() => chooseBinding(), /not built: pipe backends build tensorflow$/);
    process.env.LIBTORCH = join(folder, 'no');
    /** In a process of its own: TensorFlow is loaded once in a process. */
    const opened = (device: string): string => {
      const program = `
        import { openDevice } from './runtime/pipeline/device.ts';
        console.log(await openDevice('${device}', undefined, {}).then(({ name }) => name, ({ message }) => message));`;
      const node = ['--import=tsx', '--input-type=module', '-e', program];
      return execFileSync(process.execPath, node, { cwd: packageRoot, encoding: 'utf8' });
    };
    const missing = opened('tensorflow');
    assert.match(missing, /the device tensorflow does not work here: the binding for TensorFlow 2\.21\.0 is not built/);
    assert.match(missing, /pipe backends build tensorflow/);
    // a file that is no library: found at the last moment
    file(bindingPath(locateTensorflow(), locatePackage()!).slice(folder.length + 1), 'no binding');
    assert.match(opened('tensorflow'), /does not load .*pipe backends build tensorflow --force/s);
    assert.match(opened('auto'), /^(webgpu|wasm)$/m);
  }).timeout(180_000);

  it('asks for a compiler that is new enough, gives its first error, leaves nothing behind', async () => {
    tensorflow();
    const log = () => {};
    process.env.CXX = script('old-g++', 'case "$1" in --version) echo "g++ 7.4.0";; *) echo 7;; esac');
    await assert.rejects(buildTensorflow({ log }), /old-g\+\+ is version 7, but TensorFlow 2\.21\.0 needs 9 or newer/);
    process.env.CXX = 'no-such-compiler';
    await assert.rejects(buildTensorflow({ log }), /no C\+\+ compiler \('no-such-compiler' does not start\)/);
    process.env.CXX = script(
      'broken-g++',
      'case "$1" in --version) echo "g++ 13";; -dumpversion) echo 13;; *) echo "x.cc:1: error: boom" >&2; exit 1;; esac',
    );
    await assert.rejects(buildTensorflow({ log }), /could not build the TensorFlow binding: x\.cc:1: error: boom$/);
    assert.throws(() => chooseBinding(), /is not built/);
  });

  it('builds once: a second call finds the first result', async () => {
    tensorflow();
    process.env.CXX = script(
      'fake-g++',
      `case "$1" in --version) echo "g++ 13";; -dumpversion) echo 13;; *)
         echo run >> ${folder}/runs; while [ "$1" != -o ]; do shift; done; echo built > "$2";; esac`,
    );
    const lines: string[] = [];
    const path = await buildTensorflow({ log: (line) => void lines.push(line) });
    assert.equal(path, bindingPath(locateTensorflow(), locatePackage()!));
    assert.match(
      lines[0],
      /^building the binding of @tensorflow\/tfjs-node(-gpu)? 4\.22\.0 for TensorFlow 2\.21\.0 at /,
    );
    assert.equal(await buildTensorflow({ log: (line) => void lines.push(line) }), path);
    assert.match(lines.at(-1)!, /^the binding for TensorFlow 2\.21\.0 is built: /);
    assert.equal(readFileSync(join(folder, 'runs'), 'utf8').trim(), 'run');
    assert.equal(chooseBinding().path, path);
  });

  it('fetches the npm package that npm has left out, whole or not at all', async () => {
    const fetched = join(folder, 'cache/tensorflow/package');
    rmSync(fetched, { recursive: true });
    const bin = dirname(
      script('bin/npm', 'echo "npm error code E404" >&2; echo "npm error 404 Not Found" >&2; exit 1'),
    );
    const environment = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const lines: string[] = [];
    const fetch = () => fetchPackage((line) => void lines.push(line), environment);
    await assert.rejects(fetch(), /^Missing: npm could not fetch @tensorflow\/tfjs-node-gpu@4\.22\.0: 404 Not Found$/);
    assert.deepEqual(readdirSync(dirname(fetched)), []);
    tfjsPackage('registry');
    script('bin/npm', `echo "$@" > ${folder}/arguments; cp -r ${folder}/registry/node_modules "$3"`);
    assert.equal((await fetch()).root, join(fetched, 'node_modules/@tensorflow/tfjs-node-gpu'));
    assert.match(
      readFileSync(join(folder, 'arguments'), 'utf8'),
      /^install --prefix .* --ignore-scripts .*@4\.22\.0$/m,
    );
    assert.deepEqual(readdirSync(dirname(fetched)), ['package']);
    assert.equal(lines.length, 2);
  });

  it('names the GPUs that the driver knows', () => {
    file('gpus/0000:01:00.0/information', 'Model: \t\t NVIDIA A100-SXM4-80GB\nIRQ: 1\n');
    assert.deepEqual(nvidiaGpus(join(folder, 'gpus')), ['NVIDIA A100-SXM4-80GB']);
    assert.deepEqual(nvidiaGpus(join(folder, 'none')), []);
  });
});
