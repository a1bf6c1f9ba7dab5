import assert from 'node:assert/strict';
import { formatProblem } from '../../graph/problem.ts';
import { openDevice } from '../../runtime/pipeline/device.ts';
import { checkPipeline, openPipeline } from '../../runtime/pipeline/open.ts';
import { checkPrecision, passedOver } from '../../runtime/pipeline/precision.ts';
import { WrongRequest } from '../../runtime/pipeline/wrong-request.ts';
import { precisionsOf } from '../../runtime/tensor/backend.ts';
import type { Precision } from '../../runtime/tensor/types.ts';

const all: readonly Precision[] = ['float32', 'bfloat16', 'float16'];

describe('the precision that a document asks for', () => {
  const place = { file: 'my.json', line: 5, column: 18 };
  const precisions: Readonly<Record<string, readonly Precision[]>> = {
    torch: all,
    tensorflow: ['float32', 'bfloat16'],
    wasm: ['float32'],
  };
  /** @param works devices that work here */
  const found = async (precision: Precision, device: string, works: readonly string[] = ['torch', 'wasm']) => {
    const problems = await checkPrecision({ precision, place }, device, {
      names: Object.keys(precisions),
      precisionsOf: async (name) => precisions[name],
      stateOf: async (name) =>
        works.includes(name)
          ? { name, available: true }
          : { name, available: false, reason: `lib${name} was not found`, cure: `install ${name}` },
    });
    return problems.map((problem) => formatProblem(problem));
  };

  it('is refused where the device cannot, with the devices that can', async () => {
    assert.deepEqual(await found('float16', 'wasm'), [
      'my.json:5:18  run.precision: the device wasm computes in float32 only, not in float16. Use "precision": "float32", or the device torch.',
    ]);
    assert.deepEqual(await found('float16', 'tensorflow'), [
      'my.json:5:18  run.precision: the device tensorflow computes in float32 and bfloat16 only, not in float16. Use "precision": "float32", or the device torch.',
    ]);
    assert.deepEqual(await found('bfloat16', 'tensorflow'), [], 'whether it works here is asked when it is opened');
    for (const device of ['auto', 'torch', 'wasm']) assert.deepEqual(await found('float32', device), []);
    assert.deepEqual(await found('float16', 'auto'), []);
  });

  it('is refused where no device that can is here, with what would add one', async () => {
    assert.deepEqual(await found('bfloat16', 'auto', ['wasm']), [
      'my.json:5:18  run.precision: no device here computes in bfloat16: torch could, but libtorch was not found; tensorflow could, but libtensorflow was not found. To add torch: install torch. To add tensorflow: install tensorflow. Or use "precision": "float32".',
    ]);
  });

  it('is asked of the device of the request, else of the document; not of one elsewhere', async () => {
    const opened = (device: string) =>
      openPipeline('quick/swav', ['run.precision=bfloat16', `run.device=${device}`], {});
    const refused = async (device: string, options = {}) => {
      const [problem] = await checkPipeline(await opened(device), options).then(
        () => [],
        (error: WrongRequest) => error.problems,
      );
      return problem && [problem.layer, problem.file, problem.where, problem.message];
    };
    const message = (device: string) => [
      'environment',
      'override 1',
      'run.precision',
      `the device ${device} computes in float32 only, not in bfloat16`,
    ];
    assert.deepEqual(await refused('wasm'), message('wasm'));
    assert.deepEqual(await refused('torch', { device: 'cpu' }), message('cpu'));
    assert.equal(await refused('wasm', { device: 'torch' }), undefined);
    assert.equal(await refused('wasm', { device: null }), undefined);
    assert.equal(await refused('wasm', { machine: false }), undefined);
  });

  it('chooses a device that can, and says which one it would have been', async () => {
    for (const precision of all) {
      const said: string[] = [];
      const opening = openDevice('auto', undefined, { threads: 1 }, { precision, place }, (text) => said.push(text));
      const backend = await opening.catch((error: Error) => error);
      if (backend instanceof Error) {
        // none here, or what is here is too old for it
        assert.ok(backend instanceof WrongRequest && precision !== 'float32', String(backend));
        assert.match(formatProblem(backend.problems[0]), /^my\.json:5:18 {2}run\.precision: .*"float32"/s);
        continue;
      }
      assert.ok((await precisionsOf(backend.name)).includes(precision));
      assert.equal(
        backend.withPrecision(precision, () => 'done'),
        'done',
      );
      if (precision === 'float32') assert.deepEqual(said, []);
    }
    const asked = { precision: 'bfloat16' } as const;
    assert.equal(passedOver(['webgpu'], asked, 'torch'), 'webgpu does not compute in bfloat16: the run is on torch');
    assert.equal(passedOver(['a', 'b'], asked, 'c'), 'a and b do not compute in bfloat16: the run is on c');
  });
});
