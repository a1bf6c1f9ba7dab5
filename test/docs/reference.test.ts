import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../runtime/package.ts';

describe('docs', () => {
  it('node reference is what the node files say', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/build-docs.js', '--check'], {
      cwd: packageRoot,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });

  it('links lead somewhere', () => {
    for (const page of [
      'README.md',
      ...readdirSync(join(packageRoot, 'docs'))
        .filter((name) => name.endsWith('.md'))
        .map((name) => join('docs', name)),
    ]) {
      const text = readFileSync(join(packageRoot, page), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
        const path = join(packageRoot, page, '..', target);
        assert.ok(readdirSync(join(path, '..')).includes(path.split('/').at(-1) ?? ''), `${page}: ${target}`);
      }
    }
  });
});
