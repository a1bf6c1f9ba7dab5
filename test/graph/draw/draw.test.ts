import assert from 'node:assert/strict';
import { draw } from '../../../graph/draw/draw.ts';
import { formatParam, short, wrapped } from '../../../graph/draw/text.ts';
import { evaluatedDocument, graphOf, swavDocument } from '../fixtures/documents.ts';

describe('draw', () => {
  it('writes Mermaid: one box for the chain, lanes, sizes, costs', async () => {
    const text = await draw(await graphOf(swavDocument()), { format: 'mermaid' });
    assert.equal(
      text,
      `---
title: "pipeline"
---
%% 1 epoch of train, float32
%% hooks: log
flowchart TB
  subgraph lane0["per sample, in workers"]
    n0["<b>images</b> test_dataset/folder<br/>path ./images"]
    n1["<b>crops … tensor</b><br/>crops counts 2, 4  sizes 64, 32<br/>to_tensor<br/>→ views 2 of 64×64, 4 of 32×32"]
  end
  subgraph lane1["per batch: train"]
    n2["<b>batch</b> test_collator/by_size<br/>batch_size 16<br/>→ images 2·16×64×64×3, 4·16×32×32×3"]
    n3["<b>trunk</b> test_trunk/resnet<br/>depth 50<br/>23.5 M parameters<br/>336 MFLOPs at 64×64, 84.1 MFLOPs at 32×32<br/>→ res5avg 6·16×2048"]
    n4["<b>head</b> test_head/swav<br/>dims 2048, 128, clusters 30, 50<br/>273 k parameters<br/>273 kFLOPs<br/>→ embeddings 6·16×128<br/>→ scores 6·16×30, 6·16×50"]
    n5["<b>loss</b> test_loss/swav<br/>temperature 0.1"]
    n6["<b>sgd</b> test_optimizer/sgd<br/>lr cosine 0.6 → 0"]
  end
  n0 --> n1
  n1 --> n2
  n2 --> n3
  n3 --> n4
  n4 --> n5
  n5 --> n6
  classDef dataset fill:#e6f0fb,stroke:#3b73af,color:#1c2126
  classDef transform fill:#e3f4f1,stroke:#2c8577,color:#1c2126
  classDef collator fill:#e8f3e2,stroke:#4f8a33,color:#1c2126
  classDef model fill:#efe9fa,stroke:#6f4fb0,color:#1c2126
  classDef loss fill:#fbe7e6,stroke:#b8433c,color:#1c2126
  classDef optimizer fill:#fdebdd,stroke:#c0651d,color:#1c2126
  class n0 dataset
  class n1 transform
  class n2 collator
  class n3,n4 model
  class n5 loss
  class n6 optimizer
`,
    );
  });

  it('tells phases apart, names ports where several are read by different nodes, and dashes once-values', async () => {
    const text = await draw(await graphOf(evaluatedDocument()), { format: 'mermaid' });
    for (const line of [
      'subgraph lane1["per batch: train"]',
      'subgraph lane4["per batch: train, test, bank"]',
      'subgraph lane6["once"]',
      '→ res5avg 32×512 (train) or 8×512 (test, bank)',
      'n5 -->|"images"| n7',
      'n5 -->|"label"| n9',
      'n12 -.-> n13',
    ]) {
      assert.ok(text.includes(line), `${line}\n${text}`);
    }
  });

  it('puts streams into lanes of their own and shows what does not run', async () => {
    const document = swavDocument();
    document.nodes.head!.stream = 'side';
    document.nodes.extra = { type: 'test_head/swav', from: 'trunk.res5avg', dims: [2048, 8] };
    const graph = await graphOf(document);
    const mermaid = await draw(graph, { format: 'mermaid' });
    assert.match(mermaid, /subgraph lane2\["stream side"\]\n {6}n4\["<b>head<\/b>/);
    assert.match(mermaid, /subgraph lane3\["does not run"\]\n {4}n7\["<b>extra<\/b>/);
    assert.match(mermaid, /class n7 idle\n$/);
    assert.match(await draw(graph, { format: 'dot' }), /"extra" \[label=<<table .*style="rounded,dashed"/);
  });

  it('shows the stages of models on demand', async () => {
    const graph = await graphOf(swavDocument());
    const text = await draw(graph, { format: 'mermaid', expand: true });
    assert.ok(
      text.includes('conv1 32×32×64, 16×16×64 9.41 k 9.63 MFLOPs<br/>bn1 32×32×64, 16×16×64 128 131 kFLOPs'),
      text,
    );
    assert.ok(!(await draw(graph, { format: 'mermaid' })).includes('bn1'));
  });

  it('writes DOT that Graphviz lays out: every box and arrow is in the SVG, text escaped', async () => {
    const document = swavDocument();
    document.nodes.images!.path = '<"a" & b>';
    const graph = await graphOf(document);
    const dot = await draw(graph, { format: 'dot' });
    assert.match(dot, /^digraph pipeline \{/);
    assert.ok(dot.includes('path &lt;"a" &amp; b&gt;'));
    const svg = await draw(graph, { format: 'svg' });
    assert.equal(svg.match(/<g id="node\d+" class="node">/g)?.length, 7);
    assert.equal(svg.match(/<g id="edge\d+" class="edge">/g)?.length, 6);
    assert.ok(svg.includes('path &lt;&quot;a&quot; &amp; b&gt;') || svg.includes('path &lt;"a" &amp; b&gt;'));
    assert.ok(svg.includes('6·16×2048'));
    assert.ok(!svg.includes('"Courier'));
  });

  it('draws the same text each time', async () => {
    const [a, b] = [await graphOf(swavDocument()), await graphOf(swavDocument())];
    assert.equal(await draw(a, { format: 'svg' }), await draw(b, { format: 'svg' }));
  });

  it('shortens numbers, params and lists', () => {
    assert.deepEqual([0, 999, 1000, 23508032, 4120879616, 999_600].map(short), [
      '0',
      '999',
      '1 k',
      '23.5 M',
      '4.12 G',
      '1 M',
    ]);
    assert.equal(
      formatParam([
        [0.14, 1],
        [0.05, 0.14],
      ]),
      '[0.14, 1], [0.05, 0.14]',
    );
    assert.equal(formatParam(0.000001), '1e-6');
    const parts = [{ schedule: 'linear', start: 0.3, end: 4.8 }, 0.1];
    assert.equal(
      formatParam({ schedule: 'composite', schedules: parts, lengths: [0.1, 0.9] }),
      'composite: linear 0.3 → 4.8, then 0.1',
    );
    assert.equal(formatParam({ schedule: 'step', value: 1, every: 30 }), 'step (value 1, every 30)');
    assert.equal(formatParam({ clip: false, eps: 1e-8 }), '{clip false, eps 1e-8}');
    assert.deepEqual(wrapped(['aaa', 'bbb', 'ccc'], 8), ['aaa, bbb', 'ccc']);
  });
});
