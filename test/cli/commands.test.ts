import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOLLOWS } from '../../graph/model/keys.ts';
import { pipe, startPipe, withFolder } from './support.ts';

const commands = ['run', 'check', 'show', 'graph', 'nodes list', 'nodes describe', 'new', 'doctor', 'weights'];

describe('pipe', () => {
  for (const command of commands) {
    it(`${command} --help shows an example`, async () => {
      const { code, stdout } = await pipe(...command.split(' '), '--help');
      assert.equal(code, 0);
      assert.match(stdout, /Example:\n {2}pipe /);
    });
  }

  it('says what is wrong with an unknown command and ends with 2', async () => {
    const { code, stderr } = await pipe('chekc', 'x.json');
    assert.equal(code, 2);
    assert.match(stderr, /unknown command 'chekc'[\s\S]*check/);
  });
});

describe('pipe, read by a program that ends early', () => {
  it('goes on, without a word about it', async () => {
    const closed = (child: ChildProcess) => child.stdout!.destroy();
    const { code, stderr } = await startPipe(['check', 'quick/swav'], { onStart: closed });
    assert.deepEqual([code, stderr], [0, '']);
  });
});

describe('pipe check', () => {
  it('finds no mistake in a pipeline that ships', async () => {
    const { code, stdout, stderr } = await pipe('check', 'quick/swav');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /no mistakes/);
  });

  it(
    'places malformed JSON',
    withFolder(async (folder) => {
      const file = join(folder, 'broken.json');
      writeFileSync(file, '{\n  "name": "x"\n  "nodes": {}\n}\n');
      const { code, stderr } = await pipe('check', file);
      assert.equal(code, 2);
      assert.match(stderr, /broken\.json:[23]:\d+ /);
      assert.doesNotMatch(stderr, /\n {4}at /);
    }),
  );

  it(
    'names the nearest param for a misspelt one, once',
    withFolder(async (folder) => {
      const file = join(folder, 'typo.json');
      writeFileSync(file, '{ "extends": "quick/swav",\n  "nodes": { "loss": { "temprature": 0.2 } } }\n');
      const { code, stderr } = await pipe('check', file);
      assert.equal(code, 2);
      assert.match(stderr, /typo\.json:2:24\s+loss.*temprature.*temperature/);
      assert.match(stderr, /1 problem\n/);
    }),
  );

  it('says where a missing folder was looked for', async () => {
    const { code, stderr } = await pipe('check', 'quick/swav', 'data=./no-such-folder');
    assert.equal(code, 2);
    assert.match(stderr, /no-such-folder/);
  });

  it('suggests the knob that was meant', async () => {
    const { code, stderr } = await pipe('check', 'quick/swav', 'epoch=3');
    assert.equal(code, 2);
    assert.match(stderr, /override 1.*epoch.*epochs/);
  });

  it('prints problems as JSON', async () => {
    const { code, stdout } = await pipe('check', 'quick/swav', 'epoch=3', '--json');
    assert.equal(code, 2);
    const { ok, problems } = JSON.parse(stdout);
    assert.equal(ok, false);
    assert.equal(problems.length, 1);
  });
});

describe('pipe show', () => {
  it('prints what losses make of crops, batch and ranks', async () => {
    const swav = ['pretrain/swav/swav_8node_resnet', 'nodes.loss.queue.queue_length=4100', 'batch_size=32'];
    const { code, stdout, stderr } = await pipe('show', ...swav, '--derived', '--ranks', '8', '--json');
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { loss: { num_crops: 8, queue_length: 4096, local_queue_length: 512 } });
    const none = await pipe('show', 'quick/swav', '--derived', '--ranks', '0');
    assert.equal(none.code, 2);
    assert.match(none.stderr, /--ranks is 0/);
  });

  it('prints a document that resolves to itself', async () => {
    const { code, stdout } = await pipe('show', 'quick/swav', 'epochs=3');
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).run.epochs, 3);
  });

  it('names the origin of a value: file, line, and the override behind a knob', async () => {
    const { stdout } = await pipe('show', 'quick/swav', 'epochs=3', '--origins');
    assert.match(stdout, /^run\.epochs = 3 {2}\(.*pretrain\.json:\d+:\d+ .*override 1.*\)$/m);
  });

  it('prints the plan: phases with their nodes in order', async () => {
    const { code, stdout } = await pipe('show', 'quick/swav', '--plan');
    assert.equal(code, 0);
    assert.ok(stdout.indexOf('trunk') < stdout.indexOf('loss'));
    assert.match(stdout, /bank/);
  });
});

describe('pipe graph', () => {
  it(
    'writes SVG, DOT and Mermaid',
    withFolder(async (folder) => {
      for (const [name, start] of [
        ['g.svg', /<svg/],
        ['g.dot', /^digraph/],
        ['g.mmd', /^(---[\s\S]*?---\n)?(%%.*\n)*flowchart/],
      ] as const) {
        const file = join(folder, name);
        const { code, stderr } = await pipe('graph', 'quick/swav', '-o', file);
        assert.equal(code, 0, stderr);
        assert.match(readFileSync(file, 'utf8'), start);
      }
    }),
  );
});

describe('pipe nodes', () => {
  it('lists a kind', async () => {
    const { code, stdout } = await pipe('nodes', 'list', 'loss');
    assert.equal(code, 0);
    assert.match(stdout, /^loss\/swav /m);
  });

  it('describes a type by its VISSL name', async () => {
    const { stdout } = await pipe('nodes', 'describe', 'swav_loss');
    assert.match(stdout, /^loss\/swav/);
    assert.match(stdout, /temperature .*default 0\.1/);
  });

  it('has the forms in which models are used once more', async () => {
    const listed = await pipe('nodes', 'list', 'model');
    assert.match(listed.stdout, /^model\/apply .*\nmodel\/momentum .*\n$/);
    const { stdout } = await pipe('nodes', 'describe', 'model/momentum');
    for (const param of ['of', ...Object.keys(FOLLOWS.properties).filter((key) => key !== 'node')])
      assert.match(stdout, new RegExp(`^  ${param} `, 'm'));
    const apply = await pipe('nodes', 'describe', 'model/apply', '--json');
    assert.deepEqual(Object.keys(JSON.parse(apply.stdout).params.properties), ['of']);
    const { stderr } = await pipe('nodes', 'describe', 'model/momentm');
    assert.match(stderr, /Did you mean "model\/momentum"/);
  });

  it('suggests the type that was meant', async () => {
    const { code, stderr } = await pipe('nodes', 'describe', 'loss/sawv');
    assert.equal(code, 2);
    assert.match(stderr, /loss\/swav/);
  });
});

describe('pipe new', () => {
  it(
    'scaffolds a node that is found as a plugin, and refuses to overwrite it',
    withFolder(async (folder) => {
      const made = await pipe('new', 'node', 'loss/mine', '--dir', folder);
      assert.equal(made.code, 0, made.stderr);
      assert.ok(existsSync(join(folder, 'mine.test.ts')));
      const described = await pipe('nodes', 'describe', 'loss/mine', '--plugin', join(folder, 'mine.ts'));
      assert.equal(described.code, 0, described.stderr);
      assert.match(described.stdout, /factor of the loss/);
      const again = await pipe('new', 'node', 'loss/mine', '--dir', folder);
      assert.equal(again.code, 2);
      assert.match(again.stderr, /exists already/);
    }),
  );

  it(
    'scaffolds a pipeline that passes the checks',
    withFolder(async (folder) => {
      await pipe('new', 'pipeline', 'first', '--dir', folder);
      const { code, stderr } = await pipe('check', join(folder, 'first.json'));
      assert.equal(code, 0, stderr);
    }),
  );
});

describe('pipe doctor', () => {
  it('lists the backends as JSON', async () => {
    const { code, stdout } = await pipe('doctor', '--json');
    assert.equal(code, 0);
    const wasm = JSON.parse(stdout).find(({ what }: { what: string }) => what === 'backend wasm');
    assert.equal(wasm.state, 'ok');
  });
});
