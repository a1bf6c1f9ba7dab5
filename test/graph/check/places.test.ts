import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLeft, isRight } from 'fp-ts/lib/Either.js';
import { checkDocument } from '../../../graph/check/check.ts';
import { resolveDocument } from '../../../graph/document/resolve.ts';
import { formatProblem } from '../../../graph/problem.ts';
import { registry } from '../fixtures/documents.ts';

const TWELVE = `{
  "name": "twelve",
  "nodes": {
    "images": { "type": "test_dataset/folder", "path": "./images", "labeled": true },
    "views": {
      "type": "chain",
      "from": "images",
      "nodes": [
        { "type": "test_transform/crops", "counts": [2] },
        { "type": "test_transform/to_tenser" }
      ]
    },
    "right": { "type": "test_dataset/folder", "path": "./images" },
    "good": { "type": "test_transform/crops", "from": "right", "sizes": [64, 32] },
    "batch": { "type": "test_collator/by_size", "from": "good", "batch_size": 0 },
    "trunk": { "type": "test_trunk/resnet", "inputs": { "images": "batch.image" } },
    "small": { "type": "test_transform/crops", "from": "right", "sizes": [32] },
    "plain": { "type": "test_collator/by_size", "from": "small", "phase": "plain" },
    "second": { "type": "test_trunk/resnet", "inputs": { "images": "plain.images" } },
    "head": { "type": "test_head/swav", "inputs": { "features": "second.res5avg" }, "dims": [2048, 128] },
    "loss": { "type": "test_loss/swav", "inputs": { "scores": "hat.scores" }, "temperature": "low" },
    "meter": { "type": "test_meter/accuracy", "inputs": { "label": "plain.label" } },
    "wrong": { "type": "test_loss/cross_entropy", "inputs": { "logits": "plain.images", "label": "plain.label" } },
    "sgd": { "type": "test_optimizer/sgd", "inputs": { "loss": "loss.loss" }, "lr": { "test_curve": "cosinus", "start": 1 } }
  },
  "run": { "epochs": 1.5 },
  "hooks": [{ "type": "test_hook/log", "prefx": "x" }]
}
`;

describe('check: places', () => {
  let folder: string;
  const check = async (name: string, text: string, options = {}): Promise<string[]> => {
    writeFileSync(join(folder, name), text);
    const resolved = await resolveDocument(name, { cwd: folder, ...options });
    assert.ok(isRight(resolved), isLeft(resolved) ? resolved.left.map((p) => formatProblem(p)).join('\n') : '');
    const checked = await checkDocument(resolved.right, registry);
    assert.ok(isLeft(checked));
    return checked.left.map((problem) => formatProblem(problem, folder));
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('shows mistakes of all layers in one run, each at its place, none that follows from another', async () => {
    assert.deepEqual(await check('twelve.json', TWELVE), [
      'twelve.json:4:68  images: test_dataset/folder has no param "labeled". Did you mean "labelled"?',
      'twelve.json:10:19  views/1: "test_transform/to_tenser" is not a node type. Did you mean "test_transform/to_tensor"?',
      'twelve.json:15:79  batch.batch_size: is 0, and must be a whole number of at least 1.',
      'twelve.json:21:94  loss.temperature: is the text "low", and must be a number above 0.',
      'twelve.json:24:101  sgd.lr.test_curve: "cosinus" is no test_curve. Did you mean "cosine"?',
      'twelve.json:27:40  hooks.0: test_hook/log has no param "prefx". Did you mean "prefix"?',
      'twelve.json:26:22  run.epochs: is 1.5, and must be a whole number of at least 0.',
      'twelve.json:16:67  trunk.images: batch (test_collator/by_size) has no output "image". Did you mean "images"?',
      'twelve.json:21:63  loss.scores: there is no node "hat".',
      'twelve.json:22:14  meter.logits: this input is not connected. Connect it: "inputs": { "logits": "node.output" }.',
      'twelve.json:23:73  wrong.logits: plain.images gives a list of image values, and a single one is wanted.',
      'twelve.json:14:73  good.sizes: 2 sizes for 1 counts. Give one for each.',
      'twelve.json:20:65  head.features: linear "linear0" takes 2048 features but is given 512 (second.res5avg gives 32×512).',
    ]);
  });

  it('names the override that said a value', async () => {
    const text = '{ "nodes": { "batch": { "type": "test_transform/crops", "counts": [1] } } }';
    assert.deepEqual(await check('one.json', text, { overrides: ['nodes.batch.counts=[0]'] }), [
      'override 1  batch.counts.0: is 0, and must be a whole number of at least 1.',
      'one.json:1:23  batch.samples: this input is not connected. Connect it: "inputs": { "samples": "node.output" }.',
    ]);
  });
});
