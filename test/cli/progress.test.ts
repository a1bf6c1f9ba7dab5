import assert from 'node:assert/strict';
import { createProgress, formatDuration } from '../../runtime/cli/progress.ts';
import type { GraphEvent, HookEvent } from '../../runtime/events.ts';

const step = (n: number, time: number): HookEvent => ({
  type: 'step',
  time,
  progress: {
    phase: 'train',
    training: true,
    epoch: 0,
    epochs: 2,
    iteration: n,
    maxIterations: 20,
    step: n,
    steps: 10,
    where: n / 20,
  },
  loss: 4 - n / 10,
  lr: [0.3],
  images: 64,
});

function record(isTTY: boolean, events: readonly GraphEvent[]): string {
  let text = '';
  const progress = createProgress({ isTTY, columns: 120, write: (more) => (text += more) });
  for (const event of events) progress.observe(event);
  progress.done();
  return text;
}

describe('progress', () => {
  it('draws one live line on a terminal: share, loss, rate, and the time to the end of the run', () => {
    const text = record(true, [{ ...step(0, 0), type: 'phase_start' }, step(1, 1000), step(2, 2000)]);
    const last = text.split('\r\u001b[2K').at(-2) ?? '';
    assert.match(last, /train 1\/2 .* 20% {2}loss 3\.8000 {2}lr 0\.3 {2}64 img\/s {2}eta 18s/);
    assert.ok(!text.includes('\n'));
  });

  it('writes a plain line per phase elsewhere, with its metrics', () => {
    const end: HookEvent = { ...step(10, 10_000), type: 'phase_end', metrics: { train_loss: 3 } };
    const text = record(false, [{ ...step(0, 0), type: 'phase_start' }, step(10, 10_000), end]);
    assert.match(text, /^train 1\/2 {2}step 10\/10 {2}100% .*train_loss 3\n$/);
  });

  it('clears the live line before a notice', () => {
    const notice: GraphEvent = { type: 'notice', level: 'warning', from: 'log_k', message: 'stuck', cure: 'lower lr' };
    const text = record(true, [{ ...step(0, 0), type: 'phase_start' }, step(1, 1000), notice]);
    assert.ok(text.endsWith('\r\u001b[2Kwarning: log_k: stuck; lower lr\n'));
  });

  it('formats durations for people', () => {
    assert.deepEqual([0.4, 61, 3600 * 5 + 61, Number.NaN].map(formatDuration), ['0s', '1m 01s', '5h 01m', '?']);
  });
});
