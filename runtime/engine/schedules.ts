/** Schedules written inline in params: {"schedule": "cosine", "start": 0.6}. */
import { Value } from '@sinclair/typebox/value';
import type { NestedNode, NodeType } from '../node.ts';
import { inlineType, inlineTypes, type TypeLoader } from './inline-types.ts';

export type Schedule = (where: number) => number;

type ScheduleType = Extract<NodeType, { role: 'schedule' }>;

export interface Schedules {
  /**
   * The outermost schedule of a param. One that is read per epoch gives the value of the epoch's begin.
   * @throws Error for a type that is not a schedule
   */
  outermost(value: number | NestedNode): Schedule;
}

/** Load the schedule types that the params use. */
export async function loadSchedules(
  allParams: Iterable<unknown>,
  types: TypeLoader,
  epochs: number,
): Promise<Schedules> {
  const names = new Set<string>();
  for (const params of allParams) inlineTypes('schedule', params, names);
  const loaded = await types.load(names);

  const make = (value: NestedNode): { schedule: Schedule; type: ScheduleType; params: Record<string, unknown> } => {
    const { schedule: name, ...given } = value;
    const type =
      typeof name === 'string' ? (loaded.get(inlineType('schedule', name)) as NodeType | undefined) : undefined;
    if (type?.role !== 'schedule') throw new Error(`there is no schedule ${JSON.stringify(name)}`);
    const params = Value.Default(type.params, structuredClone(given)) as Record<string, unknown>;
    return { schedule: type.create({ params, epochs, nested }), type, params };
  };
  const nested = (value: number | NestedNode): Schedule =>
    typeof value === 'number' ? () => value : make(value).schedule;

  return {
    outermost(value) {
      if (typeof value === 'number') return () => value;
      const { schedule, type, params } = make(value);
      if (type.interval(params) === 'step') return schedule;
      // the nearest representable share may lie just below the epoch that it begins
      return (where) => schedule(Math.min(1, Math.floor(where * epochs + 1e-9) / epochs));
    },
  };
}
