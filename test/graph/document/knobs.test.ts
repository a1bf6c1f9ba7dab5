// biome-ignore-all lint/suspicious/noTemplateCurlyInString: documents write their knobs so
import assert from 'node:assert/strict';
import { formatOrigin, type Json } from '../../../graph/document/located.ts';
import { inFolder } from './folder.ts';

/** The run section of a document with these knobs. */
async function run(knobs: Json, section: Json, overrides: string[] = []): Promise<Json> {
  let result: Json = null;
  await inFolder({ 'main.json': { knobs, run: section } }, async (folder) => {
    result = (await folder.document('main.json', { overrides })).run;
  });
  return result;
}

async function problems(text: string): Promise<string[]> {
  let result: string[] = [];
  await inFolder({ 'main.json': text }, async (folder) => {
    result = await folder.problems('main.json');
  });
  return result;
}

describe('graph/document/knobs', () => {
  it('gives a knob that stands alone with its own type', async () => {
    const knobs = { n: 5, t: 'x', yes: true, nothing: null, list: [1, [2]], object: { a: { b: 1 } } };
    const section = {
      n: '${n}',
      t: '${t}',
      yes: '${ yes }',
      nothing: '${nothing}',
      list: ['${list}'],
      object: '${object}',
    };
    assert.deepEqual(await run(knobs, section), { ...knobs, list: [[1, [2]]] });
  });

  it('leads into lists and objects', async () => {
    const knobs = { crops: [2, 6], sizes: { large: [224, 225] } };
    assert.deepEqual(await run(knobs, { a: '${crops[1]}', b: '${sizes.large[0]}', c: '${crops[0]} + ${crops[1]}' }), {
      a: 6,
      b: 224,
      c: 8,
    });
  });

  it('computes a text that as a whole is an expression of numbers', async () => {
    const section = {
      lr: '0.3 * ${batch_size} / 256',
      total: 'sum(${crops})',
      views: 'len(${crops})',
      half: '${batch_size}/2',
    };
    assert.deepEqual(await run({ batch_size: 512, crops: [2, 6] }, section), {
      lr: 0.6,
      total: 8,
      views: 2,
      half: 256,
    });
  });

  it('leaves any other text a text', async () => {
    const knobs = { data: './images', n: 3, yes: false, run: 'a-1' };
    const section = {
      path: '${data}/train',
      both: '${data}/${n}',
      name: 'res${n}-${yes}',
      minus: '${run} - ${n}',
      plain: '0.3 * 2',
      dollars: '$5 {n} $n',
    };
    assert.deepEqual(await run(knobs, section), {
      path: './images/train',
      both: './images/3',
      name: 'res3-false',
      minus: 'a-1 - 3',
      plain: '0.3 * 2',
      dollars: '$5 {n} $n',
    });
  });

  it('lets knobs use knobs, in any order, and overrides reach all that is made of them', async () => {
    const knobs = {
      warmup: '${epochs} / 10',
      epochs: '${rounds} * 2',
      rounds: 50,
      where: '${root}/train',
      root: './x',
    };
    const section = { a: '${warmup}', b: '${where}' };
    assert.deepEqual(await run(knobs, section), { a: 10, b: './x/train' });
    assert.deepEqual(await run(knobs, section, ['rounds=5', 'root=/data']), { a: 1, b: '/data/train' });
    assert.deepEqual(await run(knobs, section, ['epochs=${rounds}']), { a: 5, b: './x/train' });
  });

  it('reports every mistake at its place', async () => {
    const text = `{
      "knobs": { "epochs": 5, "list": [1], "nothing": null },
      "run": {
        "a": "\${epohcs}",
        "b": "\${zzzzzzzz}",
        "c": "1 / (\${epochs} - 5)",
        "d": "\${epochs * 2}",
        "e": "x\${list}",
        "f": "\${list[3]}",
        "g": "\${epochs",
        "h": "x\${nothing}",
        "i": "rond(\${epochs})",
        "j": "10 ** (100 * \${epochs})"
      }
    }`;
    assert.deepEqual(await problems(text), [
      'main.json:4:14  run.a: there is no knob epohcs. Did you mean "epochs"?',
      'main.json:5:14  run.b: there is no knob zzzzzzzz. There are: epochs, list, nothing.',
      'main.json:6:14  run.c: "1 / (${epochs} - 5)" has no value: division by zero.',
      'main.json:7:14  run.d: ${epochs * 2} does not name a knob: a name stands in the braces, with an index or key at most, and arithmetic around them.',
      'main.json:8:14  run.e: "x${list}" has no value: ${list} is a list, which cannot stand inside a text.',
      'main.json:9:14  run.f: ${list[3]} leads nowhere: list is a list of 1 without 3.',
      'main.json:10:14  run.g: the ${ in "${epochs" has no }.',
      'main.json:11:14  run.h: "x${nothing}" has no value: ${nothing} is null, which cannot stand inside a text.',
      'main.json:12:14  run.i: "rond(${epochs})" has no value: there is no function rond; did you mean round?',
      'main.json:13:14  run.j: "10 ** (100 * ${epochs})" has no value: the result is Infinity, not a finite number.',
    ]);
  });

  it('asks for the knob when there is none at all', async () => {
    assert.deepEqual(await problems('{ "run": { "a": "${epochs}" } }'), [
      'main.json:1:17  run.a: there is no knob epochs. Add "epochs" to "knobs".',
    ]);
  });

  it('prints a circle once, and nothing for what depends on it', async () => {
    assert.deepEqual(
      await problems('{\n"knobs": {\n"a": "${b}",\n"b": "${c} + 1",\n"c": "${a}" },\n"run": { "x": "${a} * ${b}" } }'),
      ['main.json:3:6  knobs.a: the knobs need each other: a → b → c → a.'],
    );
    assert.deepEqual(await problems('{"knobs": { "a": "${a}" } }'), [
      'main.json:1:18  knobs.a: the knobs need each other: a → a.',
    ]);
  });

  it('answers to knobs that hang on each other in a long row', async () => {
    const knobs: Record<string, Json> = { k0: 1 };
    for (let i = 1; i <= 5000; i++) knobs[`k${i}`] = `\${k${i - 1}}`;
    assert.deepEqual(await run(knobs, { a: '${k100}' }), { a: 1 });
    await assert.rejects(run(knobs, { a: '${k5000}' }), {
      message: /^main\.json:1:\d+ {2}knobs\.k4800: knobs that need knobs nest more than 200 deep\.$/,
    });
  });

  it('notes the knobs that nothing uses', async () => {
    await inFolder(
      {
        'main.json':
          '{\n"knobs": {\n"used": 1,\n"idle": 2,\n"through": 3,\n"end": "${through}" },\n"run": { "x": "${used}", "y": "${end}" } }',
      },
      async (folder) => {
        const document = await folder.document('main.json');
        assert.deepEqual(folder.lines(document.notes), ['main.json:4:1  knobs.idle: nothing uses this knob.']);
      },
    );
  });

  it('keeps where the value of a knob came from', async () => {
    await inFolder(
      {
        'main.json':
          '{\n"knobs": { "epochs": 5, "batch_size": 2, "data": "x", "crops": [2, 6] },\n"run": { "a": "${epochs} * ${batch_size}", "b": "${data}",\n"c": "${crops}" } }',
        'part.json': { knobs: { data: 'y' } },
      },
      async (folder) => {
        const document = await folder.document('main.json', { overrides: ['epochs=7'], with: ['part.json'] });
        const origin = (path: string) => formatOrigin(document.origin(path)!, folder.path);
        assert.equal(origin('run.a'), 'main.json:3:15 (epochs: override 1, batch_size: main.json:2:39)');
        assert.equal(origin('run.b'), 'main.json:3:49 (data: part part.json:1:18)');
        assert.equal(origin('run.c'), 'main.json:4:6 (crops: main.json:2:64)');
        assert.equal(origin('run.c.1'), 'main.json:2:68');
        assert.equal(origin('knobs.epochs'), 'override 1');
        assert.deepEqual(document.knobs, { epochs: 7, batch_size: 2, data: 'y', crops: [2, 6] });
      },
    );
  });
});
