/** Streams of a device: ordered lanes of work. Work is put on a stream; a mark is a place in it that others wait for. */

export interface Mark {
  readonly stream: string;
  readonly name: string;
}

export interface Streams {
  /** Put work on a stream: what `work` asks of the device runs there, in order. */
  run<T>(stream: string, work: () => T): T;
  /** Everything put on the stream so far is done when the mark is reached. */
  record(stream: string, name: string): Mark;
  /** What is put on `stream` from now on runs after the mark. */
  wait(stream: string, mark: Mark): void;
}

/** For devices that do one thing after the other: the order of the calls is the order of the work. */
export const inlineStreams: Streams = {
  run: (_stream, work) => work(),
  record: (stream, name) => ({ stream, name }),
  wait: () => undefined,
};
