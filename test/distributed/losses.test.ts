import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNpy } from '../../runtime/data/npy-write.ts';
import { near, nearNumber } from '../oracles/compare.ts';
import { launch } from './fixtures/launch.ts';
import { ALIKE, joined, lossCases, TWICE } from './fixtures/loss-cases.ts';
import type { CaseResult, StepResult } from './fixtures/loss-rank.ts';

const TOLERANCE = 1e-5;

describe('losses with state on two ranks', function () {
  this.timeout(180_000); // three processes, on a machine that others use
  let folder: string;
  /** of each rank, of each case */
  let one: readonly CaseResult[];
  let two: readonly (readonly CaseResult[])[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pipe-losses-'));
    const weights = join(folder, 'weights.npy');
    await writeNpy(weights, { shape: [8], values: Float32Array.of(1, 0, 2, 0, 5, 1, 0, 3) });
    const run = async (ranks: number): Promise<CaseResult[][]> => {
      const ends = await launch('./loss-rank.ts', ranks, [weights, folder]);
      return ends.map(({ code, stdout, stderr }) => {
        assert.equal(code, 0, stderr);
        return JSON.parse(stdout);
      });
    };
    [[one], two] = await Promise.all([run(1), run(2)]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [number, { name, ranks = 'joint', gradients, state }] of lossCases('').entries()) {
    const each = (check: (step: number, whole: StepResult, parts: readonly StepResult[]) => void): void => {
      const parts = two.map((results) => results[number].steps);
      assert.equal(parts.length, 2);
      for (const [step, whole] of one[number].steps.entries()) {
        check(
          step,
          whole,
          parts.map((steps) => steps[step]),
        );
      }
    };

    describe(name, () => {
      if (ranks === 'joint') {
        it('is the loss of one rank with the images of both', () =>
          each((step, whole, parts) => {
            const mean = parts.reduce((sum, { loss }) => sum + loss / parts.length, 0);
            nearNumber(mean, whole.loss, TOLERANCE, `loss of step ${step}`);
            for (const [port, blocks] of Object.entries(gradients)) {
              const all = joined(
                parts.map((part) => part.gradients[port]),
                blocks,
              );
              // of the mean over the ranks
              const averaged = all.map((x) => x / parts.length);
              assert.ok(averaged.some((x) => x !== 0));
              near(averaged, whole.gradients[port], TOLERANCE, `gradient of ${port} in step ${step}`);
            }
          }));
      }

      if (ranks === 'alone') {
        it('is on each rank what it is without the other', () => {
          for (const results of two) assert.deepEqual(results[number].steps, results[number].alone);
          assert.notDeepEqual(two[0][number].alone, two[1][number].alone);
        });
      } else {
        it('keeps what both have seen', () =>
          each((step, whole, parts) => {
            assert.deepEqual(Object.keys(whole.state).sort(), Object.keys(state).sort());
            for (const [kept, how] of Object.entries(state)) {
              const values = parts.map((part) => part.state[kept]);
              const what = `${kept} after step ${step}`;
              if (how === 'own') continue;
              if (how === 'same') assert.deepEqual(values[1], values[0], what);
              near(how === 'same' ? values[0] : joined(values, how), whole.state[kept], TOLERANCE, what);
            }
          }));
      }

      it('goes on from a checkpoint bit for bit', () => {
        for (const results of [one, ...two]) {
          const { steps, resumed } = results[number];
          assert.ok(resumed.length > 0 && resumed.length < steps.length);
          assert.deepEqual(resumed, steps.slice(-resumed.length));
        }
      });
    });
  }

  const caseOf = (name: string): number => lossCases('').findIndex((each) => each.name === name);

  for (const [name, port] of [
    ['NPID', 0],
    ['PIRL', 1],
    ['rows that do not count', 0],
  ] as const) {
    it(`loss/nce_with_memory, ${name}: entries of both ranks' images move, the last row of an image counts`, () => {
      const number = caseOf(`loss/nce_with_memory, ${name}`);
      const { outputs, index } = lossCases('')[number].inputs(TWICE) as Readonly<Record<'outputs' | 'index', any>>;
      const unit = (v: readonly number[]) => v.map((x) => x / Math.hypot(...v));
      const [before, after] = [TWICE - 1, TWICE].map((step) => two[0][number].steps[step].state.memory);
      const expected = [...before];
      for (const [row, image] of index.values.entries()) {
        if (image === -1) continue;
        const v = unit(outputs[port].values.slice(3 * row, 3 * row + 3));
        const moved = unit(v.map((x, i) => (before[3 * image + i] + x) / 2));
        expected.splice(3 * image, 3, ...moved);
      }
      near(after, expected, TOLERANCE, 'memory');
    });
  }

  it('loss/nce_with_memory compares each image of both ranks with negatives of its own', () => {
    const rows = two.flatMap((results) => {
      const gradient = results[caseOf('loss/nce_with_memory, NPID')].steps[ALIKE].gradients['outputs.0'];
      return [gradient.slice(0, 3), gradient.slice(3)];
    });
    assert.equal(new Set(rows.map(String)).size, 4, 'one image, four times, and yet not once the same gradient');
  });

  it('loss/deepclusterv2 assigns the images that ranks have seen, and no other', () => {
    const number = caseOf('loss/deepclusterv2');
    for (const { state } of two.flatMap((results) => results[number].steps)) {
      for (const start of [0, 11]) {
        assert.ok(state.assignments.slice(start, start + 10).every((cluster) => cluster >= 0));
        assert.equal(state.assignments[start + 10], -100);
        assert.equal(state.assignments[start], state.assignments[start + 1]);
      }
    }
    // what a rank remembers is its own
    const [a, b] = two.map((results) => results[number].steps.at(-1)!.state.local_memory_index.slice(0, 5));
    assert.deepEqual([...a].sort(), [0, 1, 2, 3, 4]);
    assert.deepEqual([...b].sort(), [5, 6, 7, 8, 9]);
  });
});
