/** TensorBoard's event files: TFRecords, each with an Event. A file is appended to in whole records. */
import { appendFile, mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { maskedCrc32c } from './crc32c.ts';
import { type Histogram, histogramValue } from './histogram.ts';
import { bytesField, doubleField, floatField, intField } from './protobuf.ts';

export interface EventFile {
  readonly path: string;
  scalar(tag: string, value: number, step: number): void;
  histogram(tag: string, histogram: Histogram, step: number): void;
  image(tag: string, image: PngImage, step: number): void;
  /** events of later steps, in older files, do not count: the run went back to this one */
  restart(step: number): void;
  /** what was said since the last flush goes to the file */
  flush(): Promise<void>;
}

export interface PngImage {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

const RGB = 3;

/** A new file in the folder, which is made if missing. @param now ms since 1970, for the name and the events */
export async function createEventFile(folder: string, now: () => number = Date.now): Promise<EventFile> {
  await mkdir(folder, { recursive: true });
  const seconds = Math.floor(now() / 1000);
  const path = join(folder, `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}`);
  let waiting: Buffer[] = [];
  const put = (...fields: Buffer[]): void => {
    waiting.push(record(Buffer.concat([doubleField(1, now() / 1000), ...fields])));
  };
  const summary = (value: Buffer, step: number): void => put(intField(2, step), bytesField(5, bytesField(1, value)));
  put(bytesField(3, 'brain.Event:2'));
  return {
    path,
    scalar: (tag, value, step) => summary(Buffer.concat([bytesField(1, tag), floatField(2, value)]), step),
    histogram: (tag, histogram, step) => summary(histogramValue(tag, histogram), step),
    image: (tag, { png, width, height }, step) => {
      const image = [intField(1, height), intField(2, width), intField(3, RGB), bytesField(4, Buffer.from(png))];
      summary(Buffer.concat([bytesField(1, tag), bytesField(4, Buffer.concat(image))]), step);
    },
    restart: (step) => put(intField(2, step), bytesField(7, intField(1, SESSION_START))),
    async flush() {
      const bytes = Buffer.concat(waiting);
      waiting = [];
      if (bytes.length > 0) await appendFile(path, bytes);
    },
  };
}

const SESSION_START = 1;

/** Length, its checksum, the data, their checksum. */
export function record(data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length));
  head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
  const foot = Buffer.alloc(4);
  foot.writeUInt32LE(maskedCrc32c(data));
  return Buffer.concat([head, data, foot]);
}
