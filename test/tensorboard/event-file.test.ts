import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '../../runtime/tensorboard/crc32c.ts';
import { createEventFile, record } from '../../runtime/tensorboard/event-file.ts';
import { histogramOf } from '../../runtime/tensorboard/histogram.ts';
import { readEvents } from './read-events.ts';

describe('event files of TensorBoard', () => {
  it('have the checksum of RFC 3720', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43);
  });

  it('have records as TensorFlow writes them', () => {
    // the record that TensorBoard's own writer makes of the message "brain.Event:2" at time 0
    const event = Buffer.from('0900000000000000001a0d627261696e2e4576656e743a32', 'hex');
    assert.equal(
      record(event).toString('hex'),
      '1800000000000000a37f4b22' + '0900000000000000001a0d627261696e2e4576656e743a32' + 'eedf28a3',
    );
  });

  it('have histograms whose buckets hold all values', () => {
    const values = [-3, -1e-13, 0, 1e-13, 0.5, 0.5, 7, Number.NaN, 1e30];
    const found = histogramOf(values)!;
    assert.deepEqual([found.min, found.max, found.count, found.sum], [-3, 1e30, 8, 1e30]);
    assert.equal(
      found.counts.reduce((a, b) => a + b, 0),
      8,
    );
    const bucket = found.limits.findIndex((limit) => limit > 0.5);
    assert.equal(found.counts[bucket], 2);
    assert.ok(found.limits[bucket - 1] <= 0.5);
    assert.equal(found.counts[0], 0);
    assert.equal(histogramOf([Number.NaN]), undefined);
  });

  it('are appended to in whole records', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pipe-tensorboard-'));
    try {
      const file = await createEventFile(join(folder, 'deep'), () => 1_700_000_000_000);
      file.scalar('Training/Loss', 0.5, 3);
      await file.flush();
      file.restart(2);
      file.histogram('Parameters/w', histogramOf([1, 2])!, -1);
      await file.flush();
      await file.flush();
      assert.match(file.path, /events\.out\.tfevents\.1700000000\./);
      const events = readEvents(await readFile(file.path));
      assert.deepEqual(events.slice(0, 3), [
        { step: 0, version: 'brain.Event:2' },
        { step: 3, tag: 'Training/Loss', value: 0.5 },
        { step: 2, restart: true },
      ]);
      assert.equal(events[3].step, -1);
      assert.deepEqual([events[3].histogram!.num, events[3].histogram!.sum], [2, 3]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
