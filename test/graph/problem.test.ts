import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { didYouMean, editDistance, formatProblem, nearest } from '../../graph/problem.ts';

describe('graph/problem', () => {
  describe('formatProblem', () => {
    it('shows place, subject, reason and cure on one line', () => {
      const text = formatProblem({
        layer: 'shapes',
        file: 'swav.json',
        line: 12,
        column: 7,
        where: 'head.features',
        message: 'is 512 wide, "trunk.res5avg" gives 2048',
        cure: 'Set dims[0] to 2048',
      });
      assert.equal(
        text,
        'swav.json:12:7  head.features: is 512 wide, "trunk.res5avg" gives 2048. Set dims[0] to 2048.',
      );
    });

    it('leaves out what is unknown and keeps a question mark', () => {
      assert.equal(formatProblem({ layer: 'schema', message: 'odd', cure: 'Even?' }), 'odd. Even?');
      assert.equal(formatProblem({ layer: 'json', file: 'a.json', message: 'is empty' }), 'a.json  is empty.');
      assert.equal(formatProblem({ layer: 'wiring', where: 'loss', message: 'is alone' }), 'loss: is alone.');
    });

    it('shows files below the working folder relative to it, others whole', () => {
      const cwd = join('/', 'home', 'me', 'runs');
      const at = (file: string) => formatProblem({ layer: 'json', file, message: 'x' }, cwd);
      assert.equal(at(join(cwd, 'parts', 'a.json')), `${join('parts', 'a.json')}  x.`);
      assert.equal(at(join('/', 'elsewhere', 'a.json')), `${join('/', 'elsewhere', 'a.json')}  x.`);
    });
  });

  describe('nearest', () => {
    const params = ['temperature', 'num_crops', 'momentum', 'loss/swav', 'loss/swav_momentum'];

    it('forgives a typing slip', () => {
      assert.equal(nearest('temprature', params), 'temperature');
      assert.equal(nearest('numcrops', params), 'num_crops');
      assert.equal(nearest('Momentum', params), 'momentum');
      assert.equal(nearest('swav', params), 'loss/swav');
    });

    it('counts a swap of neighbours as one slip', () => {
      assert.equal(editDistance('lr', 'rl'), 1);
      assert.equal(editDistance('epcohs', 'epochs'), 1);
      assert.equal(editDistance('', 'abc'), 3);
      assert.equal(editDistance('kitten', 'sitting'), 3);
    });

    it('stays silent when nothing is near', () => {
      assert.equal(nearest('zzz', params), undefined);
      assert.equal(nearest('x', ['lr']), undefined);
      assert.equal(nearest('anything', []), undefined);
    });

    it('measures a symmetric distance that is zero for equal words alone', () => {
      const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
      fc.assert(
        fc.property(word, word, (a, b) => {
          assert.equal(editDistance(a, b), editDistance(b, a));
          assert.equal(editDistance(a, b) === 0, a === b);
        }),
      );
    });
  });

  describe('didYouMean', () => {
    it('suggests, else lists, else says nothing', () => {
      assert.equal(didYouMean('epohcs', ['epochs', 'data']), 'Did you mean "epochs"?');
      assert.equal(didYouMean('zzzzz', ['epochs', 'data']), 'There are: epochs, data');
      assert.equal(didYouMean('zzzzz', ['epochs']), 'There is: epochs');
      const many = Array.from({ length: 40 }, (_, i) => `parameter_${i}`);
      assert.equal(didYouMean('zzzzz', many), '');
      assert.equal(didYouMean('zzzzz', []), '');
    });
  });
});
