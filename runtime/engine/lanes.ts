/** Streams for the nodes of a program: a chain stays on one, independent branches get their own. */

export interface LaneNode {
  readonly name: string;
  /** stream that the document asks for, or '' */
  readonly stream: string;
  /** device nodes of the same program that it reads, in the order of its inputs */
  readonly reads: readonly string[];
}

export const MAIN = 'main';
export const COPY = 'copy';
/** what ranks say to each other */
export const COMMUNICATION = 'communication';

/**
 * A node goes on with the stream of the first node it reads that nobody has gone on from yet; otherwise a new stream
 * begins. The first is `main`; what the host makes (copies of the batch) is on `copy`.
 */
export function assignStreams(nodes: readonly LaneNode[]): Map<string, string> {
  const streams = new Map<string, string>();
  const tails = new Map<string, string>();
  let begun = 0;
  for (const { name, stream, reads } of nodes) {
    const open = reads.find((producer) => tails.get(streams.get(producer) ?? '') === producer);
    const own = stream || (open === undefined ? (begun++ === 0 ? MAIN : `branch-${begun - 1}`) : streams.get(open)!);
    streams.set(name, own);
    tails.set(own, name);
  }
  return streams;
}
