import { defineNode, T } from 'pipe-ssl';

/**
 * A training step of one's own: a batch whose loss is no number, or too large, changes no weight.
 *   pipe run quick/swav --with examples/skip-step.json --plugin examples/skip-step.ts
 */
export default defineNode({
  type: 'step/skip_outliers',
  role: 'step',
  description: 'Forward, loss, backward, update; without the last two where the loss is not finite or above a limit.',
  params: T.Object({
    limit: T.Number({ description: 'largest loss that is learnt from' }),
  }),
  create:
    ({ params }) =>
    async (batch, run) => {
      await batch.forward();
      await batch.event('forward');
      await batch.loss();
      await batch.event('loss_and_meter');
      const loss = batch.lossValue;
      const learns = loss !== undefined && Number.isFinite(loss) && loss <= params.limit;
      if (batch.training && learns) {
        await batch.backward();
        await batch.event('backward');
        await batch.update();
        await batch.event('update');
      } else if (batch.training) {
        run.notice('info', `a batch with the loss ${loss} is not learnt from`);
      }
      await batch.event('step');
    },
});
