import assert from 'node:assert/strict';
import * as disk from 'node:fs/promises';
import { appendFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GraphEvent } from '../../runtime/events.ts';
import { batch, defineNode, type NodeType, T } from '../../runtime/node.ts';
import type { Files } from '../../runtime/train/files.ts';
import { classifier, resumable, runDocument, withFolder } from './fixtures/graph.ts';

const modelOf = (checkpoint: string) => readFile(join(checkpoint, 'model.safetensors'));

/** Run until this many training steps are done, then ask for an orderly stop. */
async function stopAfter(steps: number, document: object, out: string) {
  const stop = new AbortController();
  return runDocument(document, out, {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'step' && event.progress.training && event.progress.iteration === steps) stop.abort();
    },
  });
}

const withoutHooks = (document: object) => ({ ...document, hooks: [] });

describe('resume', () => {
  let whole: Buffer;
  let metrics: string;
  before(() =>
    withFolder(async (out) => {
      const result = await runDocument(resumable(), out);
      whole = await modelOf(result.checkpoint!);
      metrics = await readFile(join(out, 'metrics.json'), 'utf8');
    }),
  );

  it('after an orderly stop gives the weights and the metrics of the run that was not stopped', () =>
    withFolder(async (out) => {
      const stopped = await stopAfter(11, withoutHooks(resumable()), out);
      assert.equal(stopped.status, 'stopped');
      assert.equal(stopped.iteration, 11);
      assert.match(stopped.resumeHint!, /goes on from .*step-0000000011-epoch-0001-phase-0-batch-3/);
      const result = await runDocument(withoutHooks(resumable()), out);
      assert.equal(result.status, 'done');
      assert.deepEqual(await modelOf(result.checkpoint!), whole);
      assert.equal(await readFile(join(out, 'metrics.json'), 'utf8'), metrics);
    }));

  it('gives the same weights with 0, 1, 2 and 4 worker threads', async function () {
    this.timeout(180_000); // threads load TypeScript anew
    const models: Buffer[] = [];
    for (const workers of [0, 1, 2, 4]) {
      await withFolder(async (out) => {
        const result = await runDocument(classifier({ run: { epochs: 2 } }), out, { workers });
        models.push(await modelOf(result.checkpoint!));
      });
    }
    for (const model of models) assert.deepEqual(model, models[0]);
  });

  it('of a finished run does nothing, and of a longer one goes on', () =>
    withFolder(async (out) => {
      await runDocument(classifier({ run: { epochs: 1 } }), out);
      const again = await runDocument(classifier({ run: { epochs: 1 } }), out);
      assert.deepEqual([again.status, again.iteration], ['finished', 6]);
      const longer = await runDocument(classifier({ run: { epochs: 2 } }), out);
      assert.deepEqual([longer.status, longer.iteration], ['done', 12]);
    }));

  it('takes the checkpoint before one that is damaged, and says so', () =>
    withFolder(async (out) => {
      await stopAfter(10, resumable(), out);
      const folder = join(out, 'checkpoints');
      const names = (await readdir(folder)).filter((name) => name.startsWith('step-')).sort();
      const newest = names.at(-1)!;
      const bytes = await readFile(join(folder, newest, 'model.safetensors'));
      bytes[bytes.length - 5] ^= 1;
      await writeFile(join(folder, newest, 'model.safetensors'), bytes);
      const notices: string[] = [];
      const result = await runDocument(resumable(), out, {
        onEvent: (event: GraphEvent) => {
          if (event.type === 'notice') notices.push(`${event.level}: ${event.message}. ${event.cure}`);
        },
      });
      assert.ok(
        notices[0].startsWith(
          `warning: the checkpoint ${newest} cannot be used: model.safetensors was altered: its checksum does not fit; it was moved to ${newest}.damaged. The one before it is used: `,
        ),
        notices[0],
      );
      assert.deepEqual(await modelOf(result.checkpoint!), whole);
    }));

  it('begins anew, with a notice, when every checkpoint is damaged', () =>
    withFolder(async (out) => {
      await stopAfter(4, withoutHooks(resumable()), out);
      const folder = join(out, 'checkpoints');
      for (const name of await readdir(folder)) {
        if (name.startsWith('step-')) await rm(join(folder, name, 'state.safetensors'));
      }
      const notices: string[] = [];
      const result = await runDocument(withoutHooks(resumable()), out, {
        onEvent: (event) => {
          if (event.type === 'notice') notices.push(event.message);
        },
      });
      assert.match(notices[0], /cannot be used: state.safetensors is missing/);
      assert.deepEqual(await modelOf(result.checkpoint!), whole);
    }));

  it('between epochs gives hooks of nodes the random numbers that they would have had', async () => {
    const drawn: number[] = [];
    const drawing: NodeType = defineNode({
      type: 'test/drawing',
      description: 'draws when a phase begins',
      role: 'compute',
      params: T.Object({}),
      inputs: { x: batch.tensor('float32', ['N', 'D']) },
      outputs: { x: batch.tensor('float32', ['N', 'D']) },
      create: ({ random }) => ({
        run: ({ x }) => ({ x }),
        hooks: { phase_start: () => void drawn.push(random.fork('centroids').next()) },
      }),
    });
    const document = classifier({ nodes: { noise: { type: 'test/drawing', inputs: { x: 'trunk.features' } } } });
    await withFolder((out) => runDocument(document, out, { extra: [drawing] }));
    const whole = drawn.splice(0);
    assert.equal(new Set(whole).size, 2);
    await withFolder(async (out) => {
      const stop = new AbortController();
      const onEvent = (event: GraphEvent) => {
        if (event.type === 'phase_end') stop.abort();
      };
      await runDocument(document, out, { extra: [drawing], signal: stop.signal, onEvent });
      await runDocument(document, out, { extra: [drawing] });
    });
    assert.deepEqual(drawn, whole);
  });

  it('goes on from a checkpoint that is named', () =>
    withFolder(async (out) => {
      const first = await stopAfter(8, withoutHooks(resumable()), out);
      await withFolder(async (other) => {
        const result = await runDocument(withoutHooks(resumable()), other, { resume: first.checkpoint });
        assert.deepEqual(await modelOf(result.checkpoint!), whole);
      });
    }));

  it('refuses a checkpoint of another pipeline, with what differs', () =>
    withFolder(async (out) => {
      const base = resumable() as { nodes: Record<string, object>; run: object };
      await stopAfter(4, base, out);
      const other = {
        ...base,
        nodes: {
          ...base.nodes,
          noise: { ...base.nodes.noise, scale: 0.2 },
          trunk: { ...base.nodes.trunk, width: 5 },
          head: { ...base.nodes.head, in: 5 },
        },
      };
      await assert.rejects(runDocument(other, out), (error: Error) => {
        assert.equal(error.name, 'ResumeError');
        assert.match(error.message, /nodes\.trunk\.params\.width: 4 in the checkpoint, 5 now/);
        assert.match(error.message, /nodes\.noise\.params\.scale: 0\.1 in the checkpoint, 0\.2 now/);
        assert.match(error.message, /another folder/);
        return true;
      });
    }));

  it('refuses another number of training samples, and allows a dataset that has moved', () =>
    withFolder(async (out) => {
      const base = resumable() as { nodes: Record<string, object> };
      const withImages = (change: object) => ({
        ...base,
        nodes: { ...base.nodes, images: { ...base.nodes.images, ...change } },
      });
      await stopAfter(4, base, out);
      await assert.rejects(runDocument(withImages({ length: 36 }), out), {
        name: 'ResumeError',
        message: /the training dataset has 36 samples, but had 32 when .*step-/,
      });
      const notices: string[] = [];
      const result = await runDocument(withImages({ split: 'elsewhere' }), out, {
        onEvent: (event) => {
          if (event.type === 'notice') notices.push(event.message);
        },
      });
      assert.equal(result.status, 'done');
      assert.match(
        notices.join(),
        /goes on although nodes\.images\.params\.split: "train" in the checkpoint, "elsewhere" now/,
      );
    }));

  it('allows other hooks, workers and meters', () =>
    withFolder(async (out) => {
      const base = resumable() as { nodes: Record<string, object>; run: object };
      await stopAfter(9, base, out);
      const { accuracy: _, ...nodes } = base.nodes;
      const result = await runDocument({ ...base, nodes, hooks: [], run: { ...base.run, evaluate: [] } }, out, {
        workers: 1,
      });
      assert.deepEqual(await modelOf(result.checkpoint!), whole);
    }));

  it('fresh begins anew and sets the old checkpoints aside', () =>
    withFolder(async (out) => {
      await stopAfter(4, resumable(), out);
      const result = await runDocument(resumable(), out, { resume: 'fresh' });
      assert.deepEqual(await modelOf(result.checkpoint!), whole);
      assert.ok((await readdir(out)).includes('checkpoints.1'));
      assert.equal(await readFile(join(out, 'metrics.json'), 'utf8'), metrics);
    }));

  it('cuts what was written to metrics.json after the checkpoint', () =>
    withFolder(async (out) => {
      await stopAfter(9, withoutHooks(resumable()), out);
      await appendFile(join(out, 'metrics.json'), '{"written":"after the checkpoint"}\n');
      await runDocument(withoutHooks(resumable()), out);
      assert.equal(await readFile(join(out, 'metrics.json'), 'utf8'), metrics);
    }));

  it('clears what an interrupted write left', () =>
    withFolder(async (out) => {
      await stopAfter(9, resumable(), out);
      const folder = join(out, 'checkpoints');
      const [name] = (await readdir(folder)).filter((entry) => entry.startsWith('step-')).sort();
      await cp(join(folder, name), join(folder, `.tmp-${name}-1`), { recursive: true });
      const result = await runDocument(resumable(), out);
      assert.deepEqual(await modelOf(result.checkpoint!), whole);
      assert.deepEqual(
        (await readdir(folder)).filter((entry) => entry.startsWith('.')),
        [],
      );
    }));

  it('after the disk was full goes on from the checkpoint before', () =>
    withFolder(async (out) => {
      let room = 60_000;
      const files = {
        ...disk,
        async open(path: string, flags: string) {
          const handle = await disk.open(path, flags);
          const write = handle.writeFile.bind(handle);
          handle.writeFile = async (data) => {
            room -= (data as Uint8Array).length;
            if (room < 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
            return write(data);
          };
          return handle;
        },
      } as Files;
      await assert.rejects(runDocument(resumable(), out, { files }), {
        name: 'CheckpointError',
        message:
          /^checkpoint step-.* could not be written to .*: the disk is full\. The newest whole one is step-.*Free space/,
      });
      const result = await runDocument(resumable(), out);
      assert.equal(result.status, 'done');
      assert.deepEqual(await modelOf(result.checkpoint!), whole);
    }));
});
