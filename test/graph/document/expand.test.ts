// biome-ignore-all lint/suspicious/noTemplateCurlyInString: documents write their knobs so
import assert from 'node:assert/strict';
import { formatOrigin, type Json } from '../../../graph/document/located.ts';
import { inFolder } from './folder.ts';

const HEAD = `{
  "inputs": { "features": ["neck", "skip.input"] },
  "outputs": { "embeddings": "neck.embeddings", "scores": "protos" },
  "knobs": { "dim": 128, "width": "\${dim} * 2" },
  "nodes": {
    "neck": { "type": "chain", "nodes": [
      { "type": "head/mlp", "dims": [2048, "\${width}"] },
      { "type": "head/norm", "name": "norm" }] },
    "skip": { "type": "head/skip", "inputs": { "other": ["neck.embeddings", "protos"] } },
    "protos": { "type": "head/linear", "from": { "train": "neck", "test": ["neck.x"] } },
    "copy": { "type": "model/momentum", "of": ["neck", "protos"] }
  }
}`;

async function nodes(main: Json, files: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  let result: Record<string, unknown> = {};
  await inFolder({ 'main.json': { nodes: main }, 'head.json': HEAD, ...files }, async (folder) => {
    result = (await folder.document('main.json')).nodes;
  });
  return result;
}

async function problems(text: string, files: Record<string, unknown> = {}): Promise<string[]> {
  let result: string[] = [];
  await inFolder({ 'main.json': text, 'head.json': HEAD, ...files }, async (folder) => {
    result = await folder.problems('main.json');
  });
  return result;
}

describe('graph/document/expand', () => {
  describe('chains', () => {
    it('become their members, each after the one before; references mean the last', async () => {
      assert.deepEqual(
        await nodes({
          views: {
            type: 'chain',
            from: 'images',
            nodes: [
              { type: 't/a', p: 1 },
              { type: 't/b', name: 'flip' },
              { type: 't/c', inputs: { mask: 'm' } },
            ],
          },
          batch: {
            type: 'c',
            from: 'views',
            inputs: { a: ['views.x', 'views/flip'], b: { train: 'views', test: 'views.y' } },
          },
        }),
        {
          'views/0': { type: 't/a', p: 1, from: 'images' },
          'views/flip': { type: 't/b', from: 'views/0' },
          'views/2': { type: 't/c', inputs: { mask: 'm' }, from: 'views/flip' },
          batch: {
            type: 'c',
            from: 'views/2',
            inputs: { a: ['views/2.x', 'views/flip'], b: { train: 'views/2', test: 'views/2.y' } },
          },
        },
      );
    });

    it('may begin with a source, share phase and stream, and nest', async () => {
      assert.deepEqual(
        await nodes({
          a: {
            type: 'chain',
            phase: 'test',
            stream: 's',
            nodes: [
              { type: 'd' },
              { type: 'chain', nodes: [{ type: 'x', phase: 'train' }, { type: 'y' }] },
              { type: 'z' },
            ],
          },
          b: { type: 'k', from: 'a/1' },
        }),
        {
          'a/0': { type: 'd', phase: 'test', stream: 's' },
          'a/1/0': { type: 'x', phase: 'train', from: 'a/0', stream: 's' },
          'a/1/1': { type: 'y', from: 'a/1/0', phase: 'test', stream: 's' },
          'a/2': { type: 'z', from: 'a/1/1', phase: 'test', stream: 's' },
          b: { type: 'k', from: 'a/1/1' },
        },
      );
    });

    it('say each mistake at its place', async () => {
      const text = `{ "nodes": {
        "a": { "type": "chain", "nodes": [] },
        "b": { "type": "chain", "nodse": [] },
        "c": { "type": "chain", "from": "x", "nodes": [
          { "type": "t", "from": "y" },
          3,
          { "type": "t", "name": "a b" },
          { "type": "t", "name": "n" },
          { "type": "t", "name": "n" },
          { "p": 1 }] },
        "c/n": { "type": "t" }
      } }`;
      assert.deepEqual(await problems(text), [
        'main.json:2:42  a: the chain has a list without members as "nodes". List the nodes in their order.',
        'main.json:3:33  b.nodse: a chain has no such key. Did you mean "nodes"?',
        'main.json:3:9  b: the chain has no "nodes". List the nodes in their order.',
        'main.json:5:26  c/0.from: a member of a chain takes the one before it. Remove "from".',
        'main.json:6:11  c/1: is a number, not a node. Write { "type": … }.',
        'main.json:7:34  c/a b.name: is no name for a member. A name holds letters, digits, _ and -.',
        'main.json:9:34  c/n: two members have this name; the first in line 8. Rename one.',
        'main.json:10:11  c/5: the node has no type. Add "type": "…".',
        'main.json:11:9  c/n: a member of a chain or graph has this name too. Rename one of them.',
      ]);
    });
  });

  describe('graphs', () => {
    it('become their nodes, wired through the declared ports', async () => {
      assert.deepEqual(
        await nodes({
          head: { type: 'graph', ref: './head.json', inputs: { features: 'trunk.res5' }, knobs: { dim: 64 } },
          loss: { type: 'loss', inputs: { a: 'head.scores', b: ['head', 'head.embeddings'] } },
        }),
        {
          'head/neck/0': { type: 'head/mlp', dims: [2048, 128], from: 'trunk.res5' },
          'head/neck/norm': { type: 'head/norm', from: 'head/neck/0' },
          'head/skip': {
            type: 'head/skip',
            inputs: { other: ['head/neck/norm.embeddings', 'head/protos'], input: 'trunk.res5' },
          },
          'head/protos': { type: 'head/linear', from: { train: 'head/neck/norm', test: ['head/neck/norm.x'] } },
          'head/copy/neck/0': { type: 'head/mlp', dims: [2048, 128], follows: { node: 'head/neck/0' } },
          'head/copy/neck/norm': {
            type: 'head/norm',
            from: 'head/copy/neck/0',
            follows: { node: 'head/neck/norm' },
          },
          'head/copy/protos': {
            type: 'head/linear',
            from: { train: 'head/copy/neck/norm', test: ['head/copy/neck/norm.x'] },
            follows: { node: 'head/protos' },
          },
          loss: {
            type: 'loss',
            inputs: { a: 'head/protos', b: ['head/neck/norm.embeddings', 'head/neck/norm.embeddings'] },
          },
        },
      );
    });

    it('stand in chains and in graphs, with wires of every form', async () => {
      const inner = {
        inputs: { x: 'n.x' },
        outputs: { y: 'n.y' },
        knobs: { k: 1 },
        nodes: { n: { type: 't', k: '${k}' } },
      };
      const outer = {
        inputs: { a: 'sub.x' },
        outputs: { b: 'sub.y' },
        knobs: { depth: 7 },
        nodes: { sub: { type: 'graph', ref: 'inner.json', knobs: { k: '${depth}' } } },
      };
      assert.deepEqual(
        await nodes(
          {
            c: {
              type: 'chain',
              from: 's',
              nodes: [{ type: 'p' }, { type: 'graph', ref: 'sub/outer', name: 'g', phase: 'test' }, { type: 'q' }],
            },
            g: { type: 'graph', ref: './sub/outer.json', inputs: { a: { train: ['c', 'u.v'], test: 'c.z' } } },
          },
          { 'sub/outer.json': outer, 'sub/inner.json': inner },
        ),
        {
          'c/0': { type: 'p', from: 's' },
          'c/g/sub/n': { type: 't', k: 7, inputs: { x: 'c/0' }, phase: 'test' },
          'c/2': { type: 'q', from: 'c/g/sub/n.y' },
          'g/sub/n': { type: 't', k: 7, inputs: { x: { train: ['c/2', 'u.v'], test: 'c/2.z' } } },
        },
      );
    });

    it('may be used many times, with knobs that are not the same', async () => {
      const graph = {
        inputs: { x: 'n' },
        outputs: { y: 'n' },
        knobs: { k: 1 },
        nodes: { n: { type: 't', k: '${k}' } },
      };
      const use = (k: number) => ({ type: 'graph', ref: 'g.json', from: 's', knobs: { k } });
      assert.deepEqual(await nodes({ a: use(1), b: use(2) }, { 'g.json': graph }), {
        'a/n': { type: 't', k: 1, from: 's' },
        'b/n': { type: 't', k: 2, from: 's' },
      });
    });

    it('keep the places of what they say', async () => {
      await inFolder(
        {
          'main.json':
            '{ "knobs": { "d": 64 },\n"nodes": { "head": { "type": "graph", "ref": "head.json",\n"knobs": { "dim": "${d}" }, "from": "trunk.res5" } } }',
          'head.json': HEAD,
        },
        async (folder) => {
          const document = await folder.document('main.json');
          const origin = (path: string) => formatOrigin(document.origin(path)!, folder.path);
          assert.equal(origin('nodes.head/neck/0.dims.0'), 'head.json:7:38');
          assert.equal(
            origin('nodes.head/neck/0.dims.1'),
            'head.json:7:44 (width: head.json:4:35 (dim: main.json:3:19 (d: main.json:1:19)))',
          );
          assert.equal(origin('nodes.head/skip.inputs.input'), 'main.json:3:37');
          assert.equal(document.locate('nodes.head/skip.missing')!.line, 9);
        },
      );
    });

    it('say each mistake about ports at its place', async () => {
      const text = `{ "nodes": {
        "a": { "type": "graph", "ref": "head.json", "inputs": { "featuers": "x" } },
        "b": { "type": "graph", "ref": "head.json", "from": "x", "inputs": { "features": "x" } },
        "c": { "type": "graph", "ref": "head.json", "from": "x", "dims": 3, "knobs": { "dmi": 1, "dim": "x" } },
        "d": { "type": "graph" },
        "e": { "type": "graph", "ref": "haed.json" },
        "f": { "type": "l", "inputs": { "x": "b.score", "y": "g" } },
        "g": { "type": "graph", "ref": "closed.json", "from": "x" }
      } }`;
      const closed = '{ "nodes": { "n": { "type": "t" } },\n"hooks": [] }';
      assert.deepEqual(await problems(text, { 'closed.json': closed }), [
        'main.json:2:65  a.featuers: the graph has no such input. Did you mean "features"?',
        'main.json:2:9  a.features: the input, declared in line 2 of the graph, is not connected. Add "features" to "inputs".',
        'main.json:3:53  b.features: the input is connected twice, by "from" and by "inputs". Remove one of the two.',
        'main.json:4:66  c.dims: a graph node has no such key. There are: type, ref, inputs, from, knobs, phase, stream.',
        'main.json:4:88  c.knobs.dmi: the graph has no such knob. Did you mean "dim"?',
        "main.json:4:105  c.knobs.dim: is a text; the graph's own is a number, 128.",
        'main.json:5:14  d.ref: the graph names no document. Write "ref": "./graph.json".',
        'main.json:6:40  e.ref: there is no document "haed.json", neither in . nor among the shipped pipelines. Did you mean "head.json"?',
        'closed.json:2:1  hooks: a graph that is used as a node has no hooks. Remove "hooks" from closed.json.',
        'main.json:8:55  g.from: the graph declares no inputs.',
        'main.json:7:46  f.x: graph b has no output score. Did you mean "scores"?',
        'main.json:7:62  f.y: graph g declares no outputs.',
      ]);
    });

    it('say each mistake inside the graph at its place there', async () => {
      const graph = `{
        "inputs": { "a": "nn.x", "b": ["m.y", 3], "c": "m" },
        "outputs": { "o": "mm", "p": 1 },
        "nodes": { "n": { "type": "t", "k": "\${kk}" }, "m": { "type": "t", "from": "n", "inputs": { "y": "n" } } }
      }`;
      const main =
        '{ "nodes": { "g": { "type": "graph", "ref": "g.json", "inputs": { "a": "x", "b": "x", "c": "x" } } } }';
      assert.deepEqual(await problems(main, { 'g.json': graph }), [
        'g.json:4:45  nodes.n.k: there is no knob kk. Add "kk" to "knobs".',
      ]);
      assert.deepEqual(await problems(main, { 'g.json': graph.replace('${kk}', '') }), [
        'g.json:2:26  inputs.a: there is no node nn in the graph. Did you mean "n"?',
        'g.json:2:40  inputs.b: m.y is connected inside the graph already. Remove one of the two.',
        'g.json:2:47  inputs.b: is a number, not a node\'s input. Write "node.port".',
        'g.json:2:56  inputs.c: m is connected inside the graph already. Remove one of the two.',
        'g.json:3:27  outputs.o: there is no node mm in the graph. Did you mean "m"?',
        'g.json:3:38  outputs.p: is a number, not a node\'s output. Write "node.port".',
      ]);
    });

    it('print a graph that contains itself', async () => {
      const use = (ref: string) => ({ nodes: { g: { type: 'graph', ref } } });
      const files = { 'a.json': use('b.json'), 'b.json': use('a.json') };
      assert.deepEqual(await problems(JSON.stringify(use('a.json')), files), [
        'b.json:1:37  g: the graph contains itself: a.json → b.json → a.json.',
      ]);
      assert.deepEqual(await problems(JSON.stringify(use('main.json'))), [
        'main.json:1:37  g: the graph contains itself: main.json → main.json.',
      ]);
    });
  });

  it('checks the form that every node has', async () => {
    const text = `{ "nodes": {
      "a": { "p": 1 },
      "b": { "type": 3, "phase": 1, "stream": [] },
      "c": { "type": "t", "inputs": [] },
      "d": { "type": "t", "inputs": { "x": 3, "y": ["a", null], "z": { "train": {} }, "w": "a.b.c" }, "from": true }
    } }`;
    assert.deepEqual(await problems(text), [
      'main.json:2:7  a: the node has no type. Add "type": "…".',
      'main.json:3:22  b.type: is a number, not a text.',
      'main.json:3:34  b.phase: is a number, not a text.',
      'main.json:3:47  b.stream: is a list, not a text.',
      'main.json:4:37  c.inputs: is a list, not an object. Write { "port": "node.port" }.',
      'main.json:5:111  d.from: is connected to true or false, not to an output. Write "node.port", or "node" for its primary output.',
      'main.json:5:44  d.x: is connected to a number, not to an output. Write "node.port", or "node" for its primary output.',
      'main.json:5:58  d.y: is connected to null, not to an output. Write "node.port", or "node" for its primary output.',
      'main.json:5:81  d.z (train): is connected to an object, not to an output. Write "node.port", or "node" for its primary output.',
      'main.json:5:92  d.w: "a.b.c" names no output. Write "node.port", or "node" for its primary output.',
    ]);
  });
});
