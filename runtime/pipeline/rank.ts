/** One rank of a run that a program has started on several: it is told what to run, and tells what happens. */
import { placeFromEnvironment } from '../distributed/place.ts';
import type { RunResult } from '../engine/session.ts';
import type { GraphEvent } from '../events.ts';
import type { PipelineDocument } from './open.ts';
import { endWithLauncher } from './ranks.ts';
import { type RunRequest, runPipeline } from './run.ts';
import { WrongRequest } from './wrong-request.ts';

/** What the launcher sends: first what to run, then, where it is asked for, to stop, and to stop at once. */
export type ToRank = { readonly document: PipelineDocument; readonly request: RunRequest } | { readonly stop: true };

/** What a rank sends. */
export type FromRank = { readonly event: GraphEvent } | { readonly result: RunResult };

const [stop, now] = [new AbortController(), new AbortController()];

const send = (message: FromRank): void => {
  process.send?.(message, (error: Error | null) => {
    if (error) process.exit(1); // the launcher is gone
  });
};

/** As another process can be told it: an error is told by its message. */
const portable = (event: GraphEvent): GraphEvent =>
  'error' in event && event.error !== undefined
    ? { ...event, error: new Error(event.error instanceof Error ? event.error.message : String(event.error)) }
    : event;

async function run(document: PipelineDocument, request: RunRequest): Promise<void> {
  endWithLauncher();
  const place = placeFromEnvironment(process.env);
  const first = (place?.localRank ?? 0) === 0;
  const onEvent = first ? (event: GraphEvent) => send({ event: portable(event) }) : undefined;
  try {
    const result = await runPipeline(document, request, { signal: stop.signal, stopNow: now.signal, onEvent }, place);
    if (first) send({ result });
  } catch (error) {
    process.exitCode = error instanceof WrongRequest ? 2 : 1;
  }
}

process.on('message', (message: ToRank) => {
  if ('document' in message) void run(message.document, message.request);
  else if (stop.signal.aborted) now.abort();
  else stop.abort();
});
