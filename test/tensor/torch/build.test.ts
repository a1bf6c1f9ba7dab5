/** What the build says where something is missing. Nothing here needs libtorch. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadAddon } from '../../../runtime/tensor/native/addon.ts';
import { buildTorch, buildTorchIfPossible, compilerNeeds } from '../../../runtime/tensor/native/build.ts';
import { addonPath } from '../../../runtime/tensor/native/cache.ts';
import { locateLibtorch } from '../../../runtime/tensor/native/locate.ts';
import { findToolchain } from '../../../runtime/tensor/native/toolchain.ts';

describe('finding libtorch and building the add-on', () => {
  let folder: string;
  const saved = { ...process.env };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'libtorch-'));
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
  /** A folder that looks like a libtorch of this version. */
  function libtorch([major, minor, patch]: readonly number[], abi = '__cxx11'): string {
    file('lib/libtorch_cpu.so', '');
    file('lib/libc10.so', `torchCheckFailEPKcS2_jRKNSt7${abi}`);
    file('include/ATen/core/Tensor.h', '');
    file(
      'include/torch/csrc/api/include/torch/version.h',
      `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
    );
    return folder;
  }
  const locate = () => locateLibtorch({ LIBTORCH: folder });

  it('reads version, ABI and CUDA from the folder', () => {
    libtorch([2, 4, 1]);
    assert.deepEqual(locate().version, [2, 4, 1]);
    assert.equal(locate().cxx11Abi, true);
    assert.equal(locate().cuda, false);
    file('lib/libtorch_cuda.so', '');
    file('lib/libc10.so', 'torchCheckFailEPKcS2_jRKSs');
    assert.equal(locate().cuda, true);
    assert.equal(locate().cxx11Abi, false);
  });

  it('says what is wrong with a folder, in one sentence with the cure', () => {
    const cure =
      /: install PyTorch \(pip install torch\) or libtorch-dev \(Debian, Ubuntu\), or set LIBTORCH to its folder$/;
    const problem = (message: RegExp) =>
      assert.throws(locate, (error: Error) => message.test(error.message) && cure.test(error.message));
    problem(/^LIBTORCH at .* has no libtorch_cpu library/);
    file('lib/libtorch_cpu.so', '');
    problem(/^LIBTORCH at .* has no libc10 library/);
    file('lib/libc10.so', '');
    problem(/^LIBTORCH at .* has libraries but no C\+\+ headers/);
    file('include/ATen/core/Tensor.h', '');
    problem(/^the libtorch at .* does not say its version/);
    libtorch([1, 12, 1]);
    problem(/^LIBTORCH at .* is version 1\.12\.1, older than 1\.13/);
    assert.throws(() => locateLibtorch({ LIBTORCH: join(folder, 'no') }), /names .*no, which does not exist/);
  });

  it('takes the torch of a Python, else the system’s, else says that there is none', () => {
    const find = () => locateLibtorch({ PATH: join(folder, 'bin') }, join(folder, 'usr'));
    assert.throws(
      find,
      /^Missing: libtorch was not found: install PyTorch \(pip install torch\) or libtorch-dev \(Debian, Ubuntu\), or set LIBTORCH/,
    );
    const whole = folder;
    const placed = (name: string, version: readonly number[]) => {
      folder = join(whole, name);
      libtorch(version);
      folder = whole;
    };
    placed('usr', [1, 13, 1]);
    assert.deepEqual(find().version, [1, 13, 1]);
    placed('torch', [2, 13, 0]);
    script('bin/python3', `echo ${join(folder, 'torch')}`);
    assert.deepEqual(find().version, [2, 13, 0]);
    // wheels may come without headers: then the system's is better than none
    rmSync(join(folder, 'torch/include'), { recursive: true });
    assert.deepEqual(find().version, [1, 13, 1]);
    rmSync(join(folder, 'usr'), { recursive: true });
    assert.throws(find, /^Missing: Python's torch at .* has libraries but no C\+\+ headers: install/);
  });

  it('an add-on that is not there, or is for another libtorch, is named with the cure', () => {
    process.env.LIBTORCH = libtorch([2, 13, 0]);
    process.env.PIPE_CACHE = join(folder, 'cache');
    assert.throws(loadAddon, /^Missing: the add-on for libtorch 2\.13\.0 is not built: pipe backends build torch$/);
    const path = addonPath(locate());
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'not an add-on');
    assert.throws(
      loadAddon,
      /^Missing: the libtorch add-on .*torch\.node does not load \(.+\): pipe backends build torch --force$/s,
    );
  });

  it('asks for a compiler that is new enough', () => {
    libtorch([2, 13, 0]);
    const old = script('old-g++', 'case "$1" in --version) echo "g++ 9.4.0";; *) echo 9;; esac');
    assert.throws(
      () => findToolchain(compilerNeeds(locate()), { CXX: old }),
      /old-g\+\+ is version 9, but libtorch 2\.13\.0 needs 11 or newer/,
    );
    assert.throws(
      () => findToolchain(compilerNeeds(locate()), { CXX: 'no-such-compiler' }),
      /no C\+\+ compiler \('no-such-compiler' does not start\)/,
    );
    libtorch([1, 13, 1]);
    assert.equal(findToolchain(compilerNeeds(locate()), { CXX: old }).standard, 'c++17');
  });

  it("gives the compiler's first error, leaves nothing behind, and an installation goes on", async () => {
    process.env.LIBTORCH = libtorch([2, 13, 0]);
    process.env.PIPE_CACHE = join(folder, 'cache');
    process.env.CXX = script(
      'broken-g++',
      'case "$1" in --version) echo "g++ 13";; -dumpversion) echo 13;; *) echo "note: x" >&2; echo "addon.cc:1: error: boom" >&2; exit 1;; esac',
    );
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    await assert.rejects(buildTorch({ log }), /could not build the libtorch add-on: addon\.cc:1: error: boom$/);
    await buildTorchIfPossible(log);
    assert.match(lines.at(-1)!, /^the torch backend was not built \(.*boom\); later: pipe backends build torch$/);
    process.env.LIBTORCH = join(folder, 'no');
    await buildTorchIfPossible(log);
    assert.match(lines.at(-1)!, /does not exist/);
  });

  it('builds once: a second call finds the first result', async () => {
    process.env.LIBTORCH = libtorch([2, 13, 0]);
    process.env.PIPE_CACHE = join(folder, 'cache');
    // writes its -o file, and counts its runs
    process.env.CXX = script(
      'fake-g++',
      `case "$1" in --version) echo "g++ 13";; -dumpversion) echo 13;; *)
         echo run >> ${folder}/runs; while [ "$1" != -o ]; do shift; done; echo built > "$2";; esac`,
    );
    const log = () => {};
    const [first, second] = await Promise.all([buildTorch({ log }), buildTorch({ log })]);
    assert.equal(first, second);
    assert.equal(first, addonPath(locate()));
    await buildTorch({ log });
    assert.ok(readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1 <= 2, 'the third call built again');
    assert.notEqual(addonPath({ ...locate(), version: [2, 12, 0] }), first, 'each version has its own');
  });
});
