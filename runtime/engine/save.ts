/** A checkpoint of the run as it stands. */
import { checkpointName } from '../train/checkpoint.ts';
import { collect } from './saving.ts';
import type { Session } from './session.ts';
import { trainingSignature } from './signature.ts';

/** Rank 0 writes; the others wait for it. Returns the folder, '' on the other ranks. */
export async function writeCheckpoint(session: Session, reason: string, keep: number, final: boolean): Promise<string> {
  const { plan, counters, running, state, writer, ranks, bus, facts, metrics } = session;
  if (ranks.rank === 0) {
    session.lastCheckpoint = await writer.write(
      {
        reason,
        final,
        position: counters.position,
        trainSamples: facts.trainSamples,
        metricsBytes: metrics.bytes,
        signature: trainingSignature(plan.graph),
        document: plan.graph.document,
        ...collect(plan.graph, running, state),
      },
      keep,
    );
    bus.emit({ type: 'checkpoint', path: session.lastCheckpoint, iteration: counters.position.iteration });
  }
  session.savedAs = checkpointName(counters.position, final);
  await ranks.barrier();
  return session.lastCheckpoint ?? '';
}
