import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import diskFolder from '../../nodes/datasets/disk_folder.ts';
import { copyToLocal, MARK } from '../../runtime/data/local-copy.ts';
import { StringTableBuilder, stringAt } from '../../runtime/data/string-table.ts';
import { namesOf, open, read } from '../nodes/datasets/open.ts';
import { temporaryFolder } from './fixtures.ts';

const table = (paths: readonly string[]) => {
  const builder = new StringTableBuilder();
  for (const path of paths) builder.add(path);
  return builder.finish();
};

describe('copies on a local disk', () => {
  const { path, remove } = temporaryFolder();
  const source = join(path, 'far', 'images');
  const near = join(path, 'near');
  const { signal } = new AbortController();
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  beforeEach(() => {
    for (let i = 0; i < 120; i++) write(`far/images/${i % 3}/${i}.jpg`, `image ${i}`);
    write('elsewhere/x.jpg', 'outside');
  });
  afterEach(() => {
    rmSync(join(path, 'near'), { recursive: true, force: true });
  });
  after(remove);

  const all = () =>
    table([...Array.from({ length: 120 }, (_, i) => `${i % 3}/${i}.jpg`), join(path, 'elsewhere/x.jpg')]);

  it('have every file, those outside of the folder too, and are made once', async () => {
    const first = await copyToLocal(source, all(), near, { signal });
    assert.deepEqual([first.copied, first.missing], [121, 0]);
    assert.match(first.root, /near\/images-[0-9a-f]{8}$/);
    for (let i = 0; i < 121; i++) {
      const content = readFileSync(join(first.root, stringAt(first.paths, i)), 'utf8');
      assert.equal(content, i === 120 ? 'outside' : `image ${i}`);
    }
    assert.ok(readdirSync(first.root).includes(MARK));
    rmSync(source, { recursive: true }); // the second time nothing is read from there
    const second = await copyToLocal(source, all(), near, { signal });
    assert.deepEqual([second.root, second.copied], [first.root, 0]);
    assert.deepEqual(second.paths, first.paths);
  });

  it('without their mark are completed, not begun again', async () => {
    const stop = new AbortController();
    const half = {
      signal: stop.signal,
      threads: 2,
      onFile: (done: number) => done === 50 && stop.abort(new Error('killed')),
    };
    await assert.rejects(copyToLocal(source, all(), near, half as never), /killed/);
    const [folder] = readdirSync(near);
    assert.ok(!readdirSync(join(near, folder)).includes(MARK));
    const done = await copyToLocal(source, all(), near, { signal });
    assert.ok(done.copied > 60 && done.copied <= 71, `${done.copied} more`);
    assert.ok(!readdirSync(done.root, { recursive: true }).some((name) => String(name).endsWith('.part')));
  });

  it('are marked for each list: a longer one is completed', async () => {
    const few = await copyToLocal(source, table(['0/0.jpg', '1/1.jpg']), near, { signal });
    assert.equal(few.copied, 2);
    assert.equal((await copyToLocal(source, all(), near, { signal })).copied, 119);
    assert.equal((await copyToLocal(source, table(['0/0.jpg', '1/1.jpg']), near, { signal })).copied, 0);
  });

  it('are made by one of several that ask at once; the others wait', async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => copyToLocal(source, all(), near, { signal })));
    assert.deepEqual(
      made.map(({ copied }) => copied).sort((a, b) => a - b),
      [0, 0, 0, 121],
    );
    assert.ok(!readdirSync(made[0].root).includes('copying'));
  });

  it('are taken over from a process that was killed', async () => {
    const { root } = await copyToLocal(source, table(['0/0.jpg']), near, { signal });
    writeFileSync(join(root, 'copying'), '');
    const long = new Date(Date.now() - 120_000);
    utimesSync(join(root, 'copying'), long, long);
    assert.equal((await copyToLocal(source, all(), near, { signal })).copied, 120);
    writeFileSync(join(root, 'copying'), ''); // one that lives: waited for, until the signal
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 400);
    await assert.rejects(copyToLocal(source, table(['2/2.jpg']), near, { signal: stop.signal }), /abort|enough/i);
  });

  it('count files that do not exist', async () => {
    const { copied, missing } = await copyToLocal(source, table(['0/0.jpg', '9/gone.jpg']), near, { signal });
    assert.deepEqual([copied, missing], [1, 1]);
  });

  it('are what a dataset reads when it is asked to', async () => {
    const opened = await open(diskFolder, {
      path: source,
      copy_to_local_disk: true,
      copy_destination_dir: near,
      limit: 5,
    });
    const names = await namesOf(opened);
    assert.equal(names.length, 5);
    const { source: picture } = await read(opened, 0);
    assert.ok('file' in picture && picture.file.startsWith(near));
    assert.equal(statSync((picture as { file: string }).file).size, 7);
    assert.match(opened.notices[0], /5 of 5 images were copied to/);
  });
});
