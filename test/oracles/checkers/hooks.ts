import momentumUpdate from '../../../nodes/hooks/momentum_update.ts';
import { momentumAt, movedAverage } from '../../../nodes/hooks/moving-average.ts';
import normalizePrototypes from '../../../nodes/hooks/normalize_prototypes.ts';
import { teacherTemperature } from '../../../nodes/losses/dino.ts';
import type { HookEvent, RunView } from '../../../runtime/events.ts';
import type { TensorBackend } from '../../../runtime/tensor/types.ts';
import { openHook } from '../../support/node-context.ts';
import { type CheckContext, type Checker, NotSupported } from '../checker.ts';
import { nearNumber } from '../compare.ts';
import { toWeight } from '../layout.ts';
import { nearWeight } from '../model.ts';
import type { OracleCase, OracleTensor } from '../oracle-file.ts';
import { viewOf } from '../parameters.ts';

async function checkNormalize(one: OracleCase, backend: TensorBackend): Promise<void> {
  const { inputs, outputs, tolerance } = one;
  const weights = inputs.prototypes.map((tensor: OracleTensor) => backend.tf.variable(toWeight(backend, tensor)));
  const parameters = new Map(
    weights.map((weight: any, i: number) => [
      `head.prototypes${i}.weight`,
      viewOf(`head.prototypes${i}.weight`, weight),
    ]),
  );
  const hook = openHook(backend, normalizePrototypes, { head: 'head' });
  await hook.update!({} as HookEvent, { parameters } as unknown as RunView);
  for (const [i, want] of outputs.prototypes_after.entries()) {
    await nearWeight(weights[i], want, tolerance, `prototypes ${i}`);
    weights[i].dispose();
  }
}

function checkTemperature({ params, outputs, tolerance }: OracleCase): void {
  for (const [i, want] of outputs.per_iteration.entries()) {
    nearNumber(teacherTemperature(i, params as never), want, tolerance, `teacher temperature at ${i}`);
  }
}

/** The momentum of the hook, and the teacher after each iteration. */
async function checkTeacher(one: OracleCase, backend: TensorBackend): Promise<void> {
  const { params, inputs, outputs, tolerance } = one;
  const [student, teacher] = [inputs.student, inputs.teacher].map((t) => backend.tf.variable(toWeight(backend, t)));
  const views = new Map([
    ['student.w', viewOf('student.w', student)],
    ['teacher.w', viewOf('teacher.w', teacher)],
  ]);
  const hook = openHook(backend, momentumUpdate, {
    encoders: { teacher: 'student' },
    momentum: params.init_momentum,
    schedule: 'cosine',
  });
  const run = { parameters: views, buffers: new Map() } as unknown as RunView;
  for (const [i, want] of outputs.momentum_per_iteration.entries()) {
    nearNumber(momentumAt(i, params.max_iteration, params.init_momentum), want, tolerance, `momentum at ${i}`);
    await hook.update!({ progress: { iteration: i + 1, maxIterations: params.max_iteration } } as HookEvent, run);
    await nearWeight(teacher, outputs.teacher_after_iteration[i], tolerance, `teacher after ${i}`);
  }
  student.dispose();
  teacher.dispose();
}

/** A model's entries against their averages, integers copied. */
async function checkAverage(
  one: OracleCase,
  backend: TensorBackend,
  names: { readonly model: string; readonly ema: string; readonly after: string },
  decay: number,
): Promise<void> {
  const { inputs, outputs, tolerance } = one;
  const entries = (value: any): [string, OracleTensor][] => Object.entries(value);
  for (const [name, tensor] of entries(inputs[names.ema])) {
    const old = toWeight(backend, tensor);
    const latest = toWeight(backend, inputs[names.model][name]);
    const integer = tensor.dtype.startsWith('int');
    const moved = movedAverage(
      backend.tf,
      integer ? backend.tf.cast(old, 'int32') : old,
      integer ? backend.tf.cast(latest, 'int32') : latest,
      decay,
    );
    await nearWeight(moved, outputs[names.after][name], tolerance, name);
  }
}

const CHECKS: Readonly<Record<string, (one: OracleCase, backend: TensorBackend) => Promise<void> | void>> = {
  swav_normalize_prototypes: checkNormalize,
  dino_teacher_temperature: checkTemperature,
  dino_teacher_momentum: checkTeacher,
  ema_model: (one, backend) =>
    checkAverage(one, backend, { model: 'model', ema: 'ema', after: 'ema_after' }, one.params.decay),
  lightly_update_momentum: (one, backend) =>
    checkAverage(one, backend, { model: 'model', ema: 'model_ema', after: 'model_ema_after' }, one.params.m),
};

async function checkMomentumAndHooks(one: OracleCase, context: CheckContext): Promise<void> {
  const check = CHECKS[one.params.what];
  if (!check) throw new NotSupported(`no ${one.params.what} yet`);
  await check(one, await context.backend());
}

export default [
  { pattern: /^training\/momentum_and_hooks\.json$/, check: checkMomentumAndHooks },
] satisfies readonly Checker[];
