import { defineNode, T } from '../../runtime/node.ts';
import { describeStep, isLogMoment, StepTimes } from './step-log.ts';

/**
 * Says how training goes: epoch, iteration, loss, learning rates, time per step, images per second, time left, memory.
 * As in VISSL: at iteration 1, every `log_frequency`, and every 5 of the first 100.
 */
export default defineNode({
  type: 'hook/log',
  description: 'Loss, learning rate, speed and time left as text, every few iterations.',
  role: 'hook',
  params: T.Object({
    log_frequency: T.Integer({ default: 10, minimum: 1, description: 'iterations between two lines' }),
    window: T.Integer({ default: 50, minimum: 1, description: 'steps that the mean time is taken over' }),
  }),
  show: ['log_frequency'],
  create: ({ params }) => {
    const times = new StepTimes(params.window);
    return {
      phase_start(event) {
        times.restart(event.time);
      },
      update(event, run) {
        times.add(event.time, event.images ?? 0);
        if (isLogMoment(event.progress.iteration, params.log_frequency)) run.notice('info', describeStep(event, times));
      },
    };
  },
});
