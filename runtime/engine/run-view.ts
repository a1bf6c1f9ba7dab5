/** What hooks may do and see besides the event. */
import type { RunView } from '../events.ts';
import type { Tensor } from '../tensor/types.ts';
import { modelPorts } from './edges.ts';
import { createViews } from './parameter-views.ts';
import { runPass } from './pass.ts';
import { compileProgram } from './program.ts';
import type { Session } from './session.ts';
import { tensorsOf } from './values.ts';

export function createRunView(session: Session): RunView {
  const { plan, counters, bus, stop, requests, host, running } = session;
  const { graph } = plan;
  const { parameters, buffers } = createViews(running, host.backend.tf, () => session.stepView);
  return {
    out: session.out,
    epochs: graph.run.epochs,
    seed: graph.run.seed,
    rank: host.ranks.rank,
    ranks: host.ranks.size,
    modelPorts: modelPorts(graph),
    models: new Map(graph.nodes.flatMap(({ name, model }) => (model ? [[name, model] as const] : []))),
    parameters,
    buffers,
    output: (ref) => session.stepView?.output(ref) as Tensor | readonly Tensor[] | undefined,
    checkpoint: (reason, options) => requests.ask(reason, options?.keep ?? 0),
    async pass({ phase, ports, training = false, onBatch }) {
      if (session.stepView)
        throw new Error('a pass may begin between steps only: at start, phase_start, phase_end, end');
      const program = compileProgram(graph, {
        phase,
        training: false,
        sinks: [],
        refs: ports,
        events: false,
        trained: plan.trained,
      });
      if (!program) throw new Error(`nothing of ${ports.join(', ')} runs in phase ${phase}`);
      const { iteration, epoch } = counters.progress();
      await runPass(host, {
        program,
        source: await session.sources.of(program),
        facts: { phase, training, iteration, epoch },
        signal: stop.now,
        check: stop.check,
        async onBatch(values) {
          await onBatch(
            Object.fromEntries(ports.map((ref) => [ref, host.autocast.exact(tensorsOf(values.get(ref))[0])])),
          );
        },
      });
    },
    notice: (level, message, cure) => bus.emit({ type: 'notice', level, from: 'run', message, cure }),
    emit: bus.emit,
    stop: stop.request,
  };
}
