/** Momentum encoders: models whose parameters are the moving average of another's. He et al. 2020, arXiv:1911.05722. */
import type { Follows } from '../../graph/model/keys.ts';
import type { HookHandlers } from '../events.ts';
import type { TensorBackend, Variable } from '../tensor/types.ts';
import type { RunningModel } from './models.ts';
import { averaged } from './moving-average.ts';

/** A model that follows, and the one it follows. */
export interface Following {
  readonly follower: RunningModel;
  readonly leader: RunningModel;
  readonly statistics: Follows['statistics'];
  /** share of the old values kept, by share of training done */
  readonly momentum: (where: number) => number;
}

/** Give the follower the values of its leader: parameters, running statistics, counts. */
export function copyLeader(backend: TensorBackend, following: Following): void {
  for (const [own, other] of pairs(following)) move(backend, own, other, 0);
}

/**
 * Moves the average on `forward`, after the trained model's pass and before the follower's: what the step before has
 * changed comes in. At the first step both are alike; running statistics are copied all the same, since the pass of the
 * trained model has moved them.
 */
export function followLeader(backend: TensorBackend, following: Following): HookHandlers {
  return {
    forward({ progress }) {
      if (!progress.training) return;
      const { iteration, maxIterations } = progress;
      const keep = following.momentum(Math.max(0, iteration - 1) / maxIterations);
      for (const [own, other, isParameter] of pairs(following)) {
        if (isParameter) {
          if (iteration > 0) move(backend, own, other, keep);
        } else if (following.statistics === 'copy') move(backend, own, other, 0);
        else if (following.statistics === 'average' && iteration > 0) move(backend, own, other, keep);
      }
    },
  };
}

function move({ tf, ops }: TensorBackend, own: Variable, other: Variable, keep: number): void {
  const moved = ops.noGrad(() => averaged(tf, own, other, keep));
  own.assign(moved as never);
  moved.dispose();
}

/** Both models' tensors of a name, and whether it is a parameter. */
function* pairs({ follower, leader }: Following): Generator<[Variable, Variable, boolean]> {
  for (const { name, kind, variable } of follower.model.variables.values()) {
    yield [variable, leader.model.variables.get(name)!.variable, kind === 'weight' || kind === 'bias'];
  }
}
