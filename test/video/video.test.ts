import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { readClip } from '../../runtime/video/clip.ts';
import { extractFrames } from '../../runtime/video/extract-frames.ts';
import { type Ffmpeg, ffmpegCandidates, findFfmpeg } from '../../runtime/video/ffmpeg.ts';
import { frameName } from '../../runtime/video/frame-name.ts';
import { FrameReader } from '../../runtime/video/frame-reader.ts';
import { indexVideos } from '../../runtime/video/index-videos.ts';
import { probeVideo } from '../../runtime/video/probe.ts';
import { reencode } from '../../runtime/video/reencode.ts';
import { loaderOf, locate, scan, use } from '../data/setup.ts';
import { HEIGHT, makeVideo, shownNumber, WIDTH } from './numbered.ts';

const FRAMES = 100;
const AT_RANDOM = [0, 1, 38, 39, 40, 41, 99, 60, 59, 3];
const { signal } = new AbortController();
/** frames 0 … 99 in each; keyframes every 40 */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'h264.mp4': ['-c:v', 'libx264', '-g', '40', '-bf', '3'],
  'h264.mov': ['-c:v', 'libx264', '-g', '40', '-bf', '2', '-output_ts_offset', '3.3'],
  'open-gop.mp4': ['-c:v', 'libx265', '-x265-params', 'log-level=none:keyint=40'],
  'mpeg4-bframes.avi': ['-c:v', 'mpeg4', '-g', '40', '-bf', '2', '-q:v', '2'],
  'mpeg4.avi': ['-c:v', 'mpeg4', '-g', '40', '-q:v', '2'],
  'all-keys.mov': ['-c:v', 'mjpeg', '-q:v', '2'],
};
/** every seventh frame stays longer */
const UNEVEN = ['-vf', 'settb=1/1000,setpts=(N+0.5*floor(N/7))*40', '-enc_time_base', '1:1000', '-c:v', 'libx264'];

const crop = (size: number) => ({
  type: 'transform/multi_crop',
  num_crops: [1],
  size_crops: [size],
  crop_scales: [[1, 1]],
});

describe('videos', function () {
  this.timeout(120_000);
  let ffmpeg: Ffmpeg;
  let folder = '';
  before(async () => {
    ffmpeg = await findFfmpeg();
    folder = mkdtempSync(join(tmpdir(), 'pipe-video-'));
    for (const [name, args] of Object.entries(KINDS)) await makeVideo(ffmpeg.path, join(folder, name), FRAMES, args);
    await makeVideo(ffmpeg.path, join(folder, 'uneven.mp4'), FRAMES, [...UNEVEN, ...ffmpeg.everyFrame]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const fresh = (name: string): string => {
    const path = join(folder, '..', `${folder.split('/').at(-1)}-${name}`);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    return path;
  };
  const open = async (name: string, program = ffmpeg) => {
    const file = join(folder, name);
    return { file, ...(await probeVideo(program, file, signal)) };
  };

  it('are read by the first ffmpeg that starts; without one, the cure is named', async () => {
    assert.equal((await findFfmpeg(['/does/not/exist', process.execPath, ffmpeg.path])).path, ffmpeg.path);
    await assert.rejects(findFfmpeg(['/does/not/exist']), /no ffmpeg was found.*apt-get install ffmpeg/);
    assert.equal(ffmpegCandidates()[0], 'ffmpeg');
  });

  for (const name of [...Object.keys(KINDS), 'uneven.mp4']) {
    it(`give every frame of ${name} by its number, in order and at random`, async () => {
      const video = await open(name);
      assert.deepEqual([video.width, video.height, video.times.length], [WIDTH, HEIGHT, FRAMES]);
      assert.equal(video.entries[0], 0);
      const reader = new FrameReader(ffmpeg);
      for (let n = 0; n < FRAMES; n++) assert.equal(shownNumber(await reader.read(video, n)), n);
      for (const n of AT_RANDOM) {
        reader.close();
        assert.equal(shownNumber(await reader.read(video, n)), n);
      }
      const asked = await Promise.all([70, 5, 6, 71].map(async (n) => shownNumber(await reader.read(video, n))));
      assert.deepEqual(asked, [70, 5, 6, 71], 'asked all at once');
      reader.close();
    });
  }

  it('have times, a rate and places to begin at', async () => {
    const even = await open('h264.mp4');
    assert.equal(even.fps, 25);
    assert.deepEqual([...even.entries], [0, 40, 80]);
    assert(Math.abs(even.times[99] - even.times[0] - 3.96) < 1e-6);
    const { times } = await open('uneven.mp4');
    const steps = [...times.subarray(1)].map((time, i) => Math.round((time - times[i]) * 1000));
    assert.deepEqual(steps.slice(0, 8), [40, 40, 40, 40, 40, 40, 60, 40]);
    assert.equal((await open('all-keys.mov')).entries.length, FRAMES);
  });

  it('give clips', async () => {
    const video = await open('h264.mp4');
    const reader = new FrameReader(ffmpeg);
    const clip = await readClip(reader, video, { start: 33, frames: 4, stride: 5 });
    const size = WIDTH * HEIGHT * 3;
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => shownNumber(clip.pixels.subarray(i * size))),
      [33, 38, 43, 48],
    );
    await assert.rejects(readClip(reader, video, { start: 97, frames: 4 }), /frames 0 to 99; a clip of 4 from 97/);
    await assert.rejects(reader.read(video, 100), /frames 0 to 99; there is no frame 100/);
    reader.close();
  });

  it('that are bad are named with the reason, and the others are indexed', async () => {
    const bad = fresh('bad');
    const copy = (name: string, as: string, share = 1) => {
      writeFileSync(join(bad, as), readFileSync(join(folder, name)));
      truncateSync(join(bad, as), Math.floor(statSync(join(bad, as)).size * share));
    };
    mkdirSync(join(bad, 'sub'));
    copy('h264.mp4', 'sub/good.MP4');
    copy('h264.mp4', 'no-index.mp4', 0.7);
    copy('mpeg4.avi', 'cut.avi', 0.7);
    writeFileSync(join(bad, 'empty.mov'), '');
    writeFileSync(join(bad, 'playlist.avi'), '#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10,\nfile:///etc/hostname\n');
    writeFileSync(join(bad, 'noise.avi'), Buffer.from(Array.from({ length: 999 }, (_, i) => (i * i * 31) % 251)));
    writeFileSync(join(bad, 'notes.txt'), 'not a video');
    const faststart = ['-v', 'error', '-i', join(folder, 'h264.mp4'), '-c', 'copy', '-movflags', 'faststart'];
    spawnSync(ffmpeg.path, [...faststart, join(bad, 'torn.mp4')]);
    truncateSync(join(bad, 'torn.mp4'), Math.floor(statSync(join(bad, 'torn.mp4')).size * 0.7));
    // a time base of the frame rate rounds the uneven times to equal ones
    const rounded = ['-v', 'quiet', '-vf', 'setpts=(N+0.5*floor(N/7))/25/TB', '-c:v', 'libx264', '-bf', '2'];
    await makeVideo(ffmpeg.path, join(bad, 'same-times.mp4'), 60, [...rounded, ...ffmpeg.everyFrame]);
    const seen: string[] = [];
    const videos = await indexVideos(ffmpeg, bad, signal, ({ path }, done, all) => seen.push(`${path} ${done}/${all}`));
    assert.deepEqual(
      videos.map(({ path, facts, fault }) => [
        path,
        facts?.times.length ?? /: (.*)/.exec(fault!.replaceAll(bad, ''))![1],
      ]),
      [
        ['cut.avi', 'it is cut off or damaged. Fetch it again'],
        ['empty.mov', 'it is cut off, or not a video: its index is missing'],
        ['no-index.mp4', 'it is cut off, or not a video: its index is missing'],
        ['noise.avi', 'it is not a video'],
        ['playlist.avi', 'it is not a video file, but something of another kind with that suffix'],
        ['same-times.mp4', 'frames 43 and 44 have the same time, 1.840 s. Encode it anew.'],
        ['torn.mp4', 'it is cut off or damaged. Fetch it again'],
        ['sub/good.MP4', FRAMES],
      ],
    );
    assert.equal(seen.length, 8);
    assert.match(seen.at(-1)!, / 8\/8$/);
    const notices: string[] = [];
    const loader = await loaderOf({
      dataset: { type: 'dataset/video_folder', path: bad },
      transforms: [crop(32), { type: 'transform/to_tensor' }],
      collator: { type: 'collator/multicrop', batch_size: 10, shuffle: false },
      onEvent: (event) => event.type === 'notice' && notices.push(event.message),
    });
    assert.equal(loader.images, FRAMES);
    for await (const batch of loader.batches(0)) {
      assert.equal(batch.bad, 0);
      const { data } = batch.arrays.label as { data: Int32Array };
      assert(data.every((label) => label === 7), 'the good video keeps its place among all'); // biome-ignore format: one thought
      batch.release();
    }
    await loader.dispose();
    rmSync(bad, { recursive: true });
  });

  it('feed worker threads, shuffled: every frame once, with its own number', async () => {
    const two = fresh('two');
    writeFileSync(join(two, 'a.mp4'), readFileSync(join(folder, 'h264.mp4')));
    writeFileSync(join(two, 'b.avi'), readFileSync(join(folder, 'mpeg4.avi')));
    const loader = await loaderOf({
      dataset: { type: 'dataset/video_folder', path: two, limit: 130 },
      transforms: [crop(32), { type: 'transform/to_tensor' }],
      collator: { type: 'collator/multicrop', batch_size: 26 },
      workers: 2,
    });
    const indices: number[] = [];
    for await (const batch of loader.batches(0)) {
      assert.equal(batch.bad, 0);
      const { index, label } = batch.arrays as Record<string, { data: Int32Array }>;
      for (const [row, i] of index.data.entries()) assert.equal(label.data[row], i < FRAMES ? 0 : 1);
      indices.push(...index.data);
      batch.release();
    }
    const auto = await locate(['dataset/auto']);
    const { length, classes } = await scan(auto, use(auto, { type: 'dataset/auto', path: two }));
    assert.deepEqual([length, classes], [2 * FRAMES, ['a.mp4', 'b.avi']], 'dataset/auto sees the videos');
    assert.deepEqual(indices.toSorted((a, b) => a - b), [...Array(130).keys()]); // biome-ignore format: one thought
    await loader.dispose();
    rmSync(two, { recursive: true });
  });

  it('keep what is known of them in $PIPE_CACHE, and nowhere else', async () => {
    const [videos, cache] = [fresh('kept'), fresh('cache')];
    writeFileSync(join(videos, 'a.mp4'), readFileSync(join(folder, 'h264.mp4')));
    const before = process.env.PIPE_CACHE;
    process.env.PIPE_CACHE = cache;
    try {
      const [{ facts }] = await indexVideos(ffmpeg, videos, signal);
      assert.equal(readdirSync(join(cache, 'videos')).length, 1);
      const [kept] = await indexVideos({ ...ffmpeg, path: '/does/not/exist' }, videos, signal);
      assert.deepEqual(kept.facts, facts);
      writeFileSync(join(cache, 'videos', readdirSync(join(cache, 'videos'))[0]), '{"times"');
      assert.deepEqual((await indexVideos(ffmpeg, videos, signal))[0].facts, facts, 'a damaged entry is made anew');
      assert.deepEqual(readdirSync(videos), ['a.mp4']);
    } finally {
      if (before === undefined) delete process.env.PIPE_CACHE;
      else process.env.PIPE_CACHE = before;
    }
    rmSync(videos, { recursive: true });
    rmSync(cache, { recursive: true });
  });

  it('are extracted under the names of lightly, all or none, once', async () => {
    assert.equal(frameName('talks/a.b.mp4', 7, 250), 'talks/a.b-007-mp4.png');
    assert.equal(frameName('a.MOV', 9, 10), 'a-09-MOV.png');
    const out = fresh('frames');
    const source = { folder, path: 'uneven.mp4', facts: await open('uneven.mp4') };
    assert.equal(await extractFrames(ffmpeg, source, out, signal), FRAMES);
    const names = readdirSync(out).sort();
    assert.deepEqual([names.length, names[0], names[99]], [FRAMES, 'uneven-000-mp4.png', 'uneven-099-mp4.png']);
    for (const n of [0, 41, 99]) assert.equal(shownNumber(await sharp(join(out, names[n])).raw().toBuffer()), n);
    assert.equal(await extractFrames(ffmpeg, source, out, signal), 0, 'they are there');
    const more = { ...source, facts: { ...source.facts, times: new Float64Array(101) } };
    await assert.rejects(extractFrames(ffmpeg, more, out, signal), /100 frames were decoded, but its index has 101/);
    assert.equal(readdirSync(out).length, FRAMES);
    await extractFrames(ffmpeg, source, out, signal, { format: 'jpg', folders: true });
    assert.equal(readdirSync(join(out, 'uneven.mp4'))[0], 'uneven-000-mp4.jpg');
    rmSync(out, { recursive: true });
  });

  it('are encoded anew with near keyframes, frame by frame and time by time', async () => {
    const out = fresh('short');
    for (const path of ['uneven.mp4', 'mpeg4-bframes.avi']) {
      const source = { folder, path, facts: await open(path) };
      assert.equal(await reencode(ffmpeg, source, out, signal), true);
      assert.equal(await reencode(ffmpeg, source, out, signal), false, 'it is there');
      const file = join(out, path.endsWith('.avi') ? `${path}.mp4` : path);
      const made = { file, ...(await probeVideo(ffmpeg, file, signal)) };
      assert.deepEqual([made.times.length, made.entries.length], [FRAMES, 9]);
      const offset = source.facts.times[0] - made.times[0];
      for (const [i, time] of made.times.entries()) {
        assert(Math.abs(time + offset - source.facts.times[i]) < 2e-3, `time of frame ${i}`);
      }
      const reader = new FrameReader(ffmpeg);
      for (const n of AT_RANDOM) assert.equal(shownNumber(await reader.read(made, n)), n);
      reader.close();
    }
    assert.equal(readdirSync(out).length, 2);
    rmSync(out, { recursive: true });
  });

  it('do not keep a process alive, and end with the signal', async () => {
    const script = `
      const { FrameReader } = await import(${JSON.stringify(new URL('../../runtime/video/frame-reader.ts', import.meta.url).href)});
      const reader = new FrameReader(${JSON.stringify(ffmpeg)});
      const facts = ${JSON.stringify({ file: join(folder, 'h264.mp4'), width: WIDTH, height: HEIGHT, entries: [0], times: Array(FRAMES).fill(0) })};
      console.log((await reader.read(facts, 0)).length);`;
    const ended = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(ended.stdout.trim(), String(WIDTH * HEIGHT * 3), ended.stderr);
    const stop = new AbortController();
    const reader = new FrameReader(ffmpeg, stop.signal);
    const video = await open('h264.mp4');
    await reader.read(video, 0);
    stop.abort();
    await assert.rejects(probeVideo(ffmpeg, video.file, stop.signal), /abort/i);
  });
});
