import assert from 'node:assert/strict';
import { Value } from '@sinclair/typebox/value';
import { autoLrScaling, scaleSchedule } from '../../../nodes/optimizers/auto-lr-scaling.ts';
import { createRates } from '../../../nodes/optimizers/rates.ts';
import sgd from '../../../nodes/optimizers/sgd.ts';
import { singleRank } from '../../../runtime/engine/ranks.ts';
import { loadSchedules, type Schedules } from '../../../runtime/engine/schedules.ts';
import type { NestedNode, NodeType } from '../../../runtime/node.ts';
import { paramsOf } from '../../support/node-context.ts';
import type { Checker } from '../checker.ts';
import { fails, nearNumber, same } from '../compare.ts';
import type { OracleCase } from '../oracle-file.ts';

type Config = Readonly<Record<string, any>>;

/** VISSL's key → ours, by the schedule's name. */
const renamed = (name: string): Readonly<Record<string, string>> => ({
  start_value: 'start',
  end_value: 'end',
  base_value: 'start',
  schedulers: 'schedules',
  ...(name === 'multistep' ? { num_epochs: 'epochs' } : {}),
});

/** A scheduler config of VISSL as an inline schedule; `num_epochs` of others than multistep is the run's length. */
export function scheduleOf(config: Config, epochs?: number): NestedNode {
  const { name, auto_lr_scaling: _, ...rest } = config;
  const keys = renamed(name);
  const length = rest.num_epochs ?? epochs;
  const entries = Object.entries(rest)
    .filter(([key]) => key !== 'num_epochs' || name === 'multistep')
    .map(([key, value]) => [
      keys[key] ?? key,
      key === 'schedulers' ? value.map((part: Config) => scheduleOf(part, length)) : value,
    ]);
  if (name === 'multistep' && epochs !== undefined) entries.push(['epochs', epochs]);
  return { schedule: name, ...Object.fromEntries(entries) };
}

const loader = {
  async load(names: Iterable<string>) {
    const found = new Map<string, NodeType>();
    for (const name of names) {
      const file = new URL(`../../../nodes/schedules/${name.replace('schedule/', '')}.ts`, import.meta.url).href;
      const module = await import(file).catch(() => ({}));
      if (module.default) found.set(name, module.default);
    }
    return found;
  },
};

export const openSchedules = (schedule: unknown, epochs: number): Promise<Schedules> =>
  loadSchedules([{ lr: schedule }], loader, epochs);

/** The function itself, whatever its update interval: a composite with one part reads the part at every `where`. */
async function rawSchedule(schedule: NestedNode, epochs: number): Promise<(where: number) => number> {
  const whole = { schedule: 'composite', schedules: [schedule], lengths: [1], interval_scaling: ['fixed'] };
  return (await openSchedules(whole, epochs)).outermost(whole);
}

async function checkSchedule({ params, outputs, tolerance, kind }: OracleCase): Promise<void> {
  const schedule = scheduleOf(params);
  const epochs = params.num_epochs ?? 0;
  if (kind === 'invalid_config') {
    await fails(
      async () => {
        await validated(schedule);
        await rawSchedule(schedule, epochs);
      },
      `schedule ${JSON.stringify(params)}`,
    );
    return;
  }
  const type = await validated(schedule);
  same(type.interval(paramsOf(type, withoutName(schedule))), outputs.update_interval, 'update interval');
  const f = await rawSchedule(schedule, epochs);
  for (const [i, want] of outputs.values.entries()) nearNumber(f(i / 100), want, tolerance, `value at ${i / 100}`);
  for (const { where, value, error } of outputs.extra ?? []) {
    // a run never asks at 1; just before it, the reference code leaves the list of values where ours stays on the last
    if (value !== undefined) nearNumber(f(where), value, tolerance, `value at ${where}`);
    else if (where < 1) same([error, f(where)], ['IndexError', outputs.values.at(-1)], `value at ${where}`);
  }
}

const withoutName = ({ schedule: _, ...params }: NestedNode) => params;

/** The types of the whole tree, their params validated; the outermost is returned. */
async function validated(schedule: NestedNode): Promise<Extract<NodeType, { role: 'schedule' }>> {
  const name = `schedule/${String(schedule.schedule)}`;
  const type = (await loader.load([name])).get(name);
  assert(type?.role === 'schedule', `there is no ${name}`);
  paramsOf(type, withoutName(schedule));
  for (const part of (schedule.schedules ?? []) as NestedNode[]) await validated(part);
  return type;
}

/** What the reference leaves in place of a removed warm-up, without the composite's keys that no longer count. */
function resolved(config: Config): NestedNode {
  if (config.name === 'composite') return scheduleOf(config);
  const { schedulers: _s, lengths: _l, interval_scaling: _i, ...own } = config;
  return scheduleOf(own);
}

async function checkScaling({ inputs, outputs, tolerance }: OracleCase): Promise<void> {
  const { NUM_NODES: machines, NUM_PROC_PER_NODE: perNode } = inputs.DISTRIBUTED;
  const images = inputs.DATA.TRAIN.BATCHSIZE_PER_REPLICA * machines * perNode;
  const { param_schedulers: schedulers, head_optimizer_params: head, weight_decay } = inputs.OPTIMIZER;
  const scale = (config: Config) => {
    const auto = config.auto_lr_scaling && Value.Default(autoLrScaling, structuredClone(config.auto_lr_scaling));
    return scaleSchedule(scheduleOf(config), auto as never, { images, machines });
  };
  if (outputs.error) {
    await fails(() => scale(schedulers.lr), 'scaling');
    return;
  }
  const compare = (got: number | NestedNode, want: Config, what: string) => {
    const expected = resolved(want);
    const parts = expected.schedules as NestedNode[] | undefined;
    if (typeof got === 'object' && parts && (want.lengths as number[]).length > parts.length) {
      // the reference leaves the lengths of removed parts behind, a composite that cannot be built
      same((got.schedules as unknown[]).length, (got.lengths as unknown[]).length, `${what}: parts and lengths`);
      nearNumber(
        (got.lengths as number[]).reduce((a, b) => a + b, 0),
        1,
        1e-9,
        `${what}: sum of lengths`,
      );
      closeTree(got.schedules, parts, tolerance, `${what}.schedules`);
    } else closeTree(got, expected, tolerance, what);
  };
  compare(scale(schedulers.lr), outputs.lr, 'lr');
  compare(scale(head.use_different_lr ? schedulers.lr_head : schedulers.lr), outputs.lr_head, 'lr_head');
  const own = head.use_different_wd ? { weight_decay: head.weight_decay } : {};
  same(headWeightDecay({ weight_decay, head: own }), outputs.head_weight_decay, 'head weight decay');
}

function headWeightDecay(params: Config): number | undefined {
  const rates = createRates({
    params: paramsOf(sgd, { lr: 0.1, ...params }),
    parameters: [{ name: 'head.weight', layer: 'linear', kind: 'weight', head: true }],
    ranks: singleRank,
    run: { batchSize: 1 },
    schedule: (value: number) => () => value,
  } as unknown as Parameters<typeof createRates>[0]);
  const group = rates.groups.find(({ lr, members }) => lr === 'head' && members.length > 0);
  return group && rates.at(group, 0).weightDecay;
}

function closeTree(got: any, want: any, tolerance: number, what: string): void {
  if (typeof want === 'number') nearNumber(got, want, tolerance, what);
  else if (typeof want === 'object' && want !== null) {
    same(Object.keys(got).sort(), Object.keys(want).sort(), `${what}: keys`);
    for (const key of Object.keys(want)) closeTree(got[key], want[key], tolerance, `${what}.${key}`);
  } else same(got, want, what);
}

export default [
  { pattern: /^schedulers\/param_schedulers\.json$/, check: checkSchedule },
  { pattern: /^schedulers\/auto_lr_scaling\.json$/, check: checkScaling },
] satisfies readonly Checker[];
