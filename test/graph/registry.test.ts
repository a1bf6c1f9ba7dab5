import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildManifest } from '../../graph/manifest.ts';
import { readParams } from '../../graph/params/read.ts';
import { createRegistry, PluginError } from '../../graph/registry.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const node = (type: string, rest = '') =>
  `{ type: '${type}', role: 'loss', description: 'A loss.', params: { type: 'object', properties: {} }${rest} }`;

describe('registry', () => {
  let folder: string;
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'registry-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('ships a manifest that is fresh', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/build-manifest.js', '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  it('lists node types sorted, with file, role and aliases; parts without a default export are not listed', async () => {
    write('nodes/losses/z.ts', `export default ${node('loss/z', ", aliases: ['zed']")};`);
    write('nodes/losses/a.ts', `export default ${node('loss/a')};`);
    write('nodes/losses/shared.ts', 'export const twice = 2;');
    const { text, errors } = await buildManifest(folder);
    assert.deepEqual(errors, []);
    assert.deepEqual(Object.entries(JSON.parse(text)), [
      ['loss/a', { file: 'nodes/losses/a', role: 'loss', description: 'A loss.' }],
      ['loss/z', { file: 'nodes/losses/z', role: 'loss', aliases: ['zed'], description: 'A loss.' }],
    ]);
  });

  it('refuses names given twice and exports that are not node types, all at once', async () => {
    write('nodes/a.ts', `export default ${node('loss/a', ", aliases: ['same']")};`);
    write('nodes/b.ts', `export default ${node('loss/a')};`);
    write('nodes/c.ts', `export default ${node('loss/c', ", aliases: ['same']")};`);
    write('nodes/d.ts', 'export default 3;');
    write('nodes/e.ts', `export default ${node('Loss')};`);
    const { text, errors } = await buildManifest(folder);
    assert.equal(text, '');
    assert.deepEqual(errors, [
      'nodes/b.ts: the name "loss/a" already belongs to nodes/a.ts',
      'nodes/c.ts: the name "same" already belongs to nodes/a.ts',
      'nodes/d.ts: the default export is not a node type: it is a number',
      'nodes/e.ts: the default export is not a node type: its type is "Loss", not "<kind>/<name>" in small letters, digits and _',
    ]);
  });

  it('imports every type of the manifest, each declaring what the manifest says', async () => {
    const registry = await createRegistry();
    const manifest = JSON.parse(readFileSync(join(root, 'nodes/manifest.json'), 'utf8'));
    const types = await registry.load(Object.keys(manifest));
    assert.deepEqual([...types.keys()].sort(), Object.keys(manifest).sort());
    for (const [name, { type, role, description }] of types) {
      assert.deepEqual(
        { type, role, description },
        { type: name, role: manifest[name].role, description: manifest[name].description },
      );
    }
  });

  it('presets of shipped types say params that are right, and none that is the default already', async () => {
    const registry = await createRegistry();
    const types = await registry.load(registry.list().map(({ type }) => type));
    const presets = [...types.values()].flatMap((type) =>
      Object.entries(type.presets ?? {}).map(([name, params]) => ({ type, name, params: params as object })),
    );
    assert.ok(presets.some(({ name }) => name === 'DCLWLoss'));
    for (const { type, name, params } of presets) {
      const plain = readParams(type, type.type, {}, types, registry).params;
      const named = readParams(type, name, {}, types, registry);
      assert.deepEqual(named.params, { ...plain, ...params }, name);
      assert.notDeepEqual(named.params, plain, name);
      const wrong = named.problems.filter(({ path: [key] }) => key !== undefined && key in params);
      assert.deepEqual(wrong, [], name);
    }
  });

  it('finds by type and alias, lists by kind, and takes plugins from a file or a folder', async () => {
    const file = write('one.mjs', `export default ${node('loss/mine', ", aliases: ['my_old_loss']")};`);
    write('more/two.mjs', `export default [${node('loss/second')}, ${node('zebra/third')}];`);
    write('more/shared.mjs', 'export const twice = 2;');
    const registry = await createRegistry({ plugins: ['./one.mjs', './more'], cwd: folder });
    assert.equal(registry.find('loss/mine')?.plugin, file);
    assert.equal(registry.find('my_old_loss')?.type, 'loss/mine');
    assert.deepEqual(
      registry.list('zebra').map(({ type }) => type),
      ['zebra/third'],
    );
    const loaded = await registry.load(['my_old_loss', 'zebra/third', 'loss/nowhere']);
    assert.deepEqual(
      [...loaded].map(([name, { type }]) => [name, type]),
      [
        ['my_old_loss', 'loss/mine'],
        ['zebra/third', 'zebra/third'],
      ],
    );
  });

  it('suggests the nearest name, else what there is of the kind', async () => {
    const path = write(
      'p.mjs',
      `export default [${node('zebra/stripes', ", aliases: ['zebra_pattern']")}, ${node('zebra/mane')}];`,
    );
    const registry = await createRegistry({ plugins: [path] });
    assert.equal(registry.suggest('zebra/stipes'), 'Did you mean "zebra/stripes"?');
    assert.equal(registry.suggest('zebra_patern'), 'Did you mean "zebra/stripes"?');
    assert.equal(registry.suggest('zebra/something_else'), 'Of kind zebra there are: zebra/mane, zebra/stripes');
    assert.match(registry.suggest('unheard/of'), /^The kinds of node types are: .*zebra/);
    assert.equal(registry.suggest('model/momentm'), 'Did you mean "model/momentum"?');
  });

  it('says what is wrong with a plugin', async () => {
    const refused = (plugin: string, message: RegExp) =>
      assert.rejects(createRegistry({ plugins: [plugin], cwd: folder }), (error: Error) => {
        assert.ok(error instanceof PluginError);
        assert.match(error.message, message);
        return true;
      });
    write('none.mjs', 'export const x = 1;');
    write('wrong.mjs', "export default [{ type: 'loss/x', role: 'painter' }];");
    write('broken.mjs', 'export default (');
    write('twice.mjs', `export default [${node('zebra/a')}, ${node('zebra/b', ", aliases: ['zebra/a']")}];`);
    mkdirSync(join(folder, 'empty'));
    await refused('./missing.mjs', /^\.\/missing\.mjs: no such plugin file or folder/);
    await refused('./none.mjs', /^\.\/none\.mjs: the plugin has no default export\. A plugin exports by default/);
    await refused('./wrong.mjs', /wrong\.mjs: not a node type: loss\/x has the role "painter", not one of dataset, /);
    await refused('./broken.mjs', /broken\.mjs: the plugin cannot be imported: /);
    await refused('./twice.mjs', /twice\.mjs: the name "zebra\/a" already belongs to zebra\/a of /);
    await refused('./empty', /^\.\/empty: no \.js, \.mjs or \.ts file in the plugin folder has a default export/);
  });
});
