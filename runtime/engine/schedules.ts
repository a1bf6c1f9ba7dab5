/** Schedules written inline in params: {"schedule": "cosine", "start": 0.6}. */
import { Value } from '@sinclair/typebox/value';
import type { NodeDeclaration } from '../../graph/node-type.ts';
import type { NestedNode, NodeType } from '../node.ts';

export type Schedule = (where: number) => number;

/** What is needed of the registry. */
export interface TypeLoader {
  load(names: Iterable<string>): Promise<Map<string, NodeDeclaration>>;
}

type ScheduleType = Extract<NodeType, { role: 'schedule' }>;

export interface Schedules {
  /**
   * The outermost schedule of a param. One that is read per epoch gives the value of the epoch's begin.
   * @throws Error for a type that is not a schedule
   */
  outermost(value: number | NestedNode): Schedule;
}

/** Types of the inline schedules anywhere in these params. */
export function scheduleTypes(params: unknown, found = new Set<string>()): Set<string> {
  if (typeof params !== 'object' || params === null) return found;
  const { schedule } = params as { schedule?: unknown };
  if (typeof schedule === 'string') found.add(typeName(schedule));
  for (const part of Object.values(params)) scheduleTypes(part, found);
  return found;
}

/** Load the schedule types that the params use. */
export async function loadSchedules(
  allParams: Iterable<unknown>,
  types: TypeLoader,
  epochs: number,
): Promise<Schedules> {
  const names = new Set<string>();
  for (const params of allParams) scheduleTypes(params, names);
  const loaded = await types.load(names);

  const make = (value: NestedNode): { schedule: Schedule; type: ScheduleType; params: Record<string, unknown> } => {
    const { schedule: name, ...given } = value;
    const type = typeof name === 'string' ? (loaded.get(typeName(name)) as NodeType | undefined) : undefined;
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

const typeName = (schedule: string): string => (schedule.includes('/') ? schedule : `schedule/${schedule}`);
