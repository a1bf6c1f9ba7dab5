import { jsonText } from './json-text.ts';
import { writeAside } from './write-aside.ts';

/**
 * Writes the schema of predictions: the task's type (classification, object-detection, …) and its categories
 * (lightly.utils.io.save_schema). Throws a RangeError when there are not as many ids as names.
 */
export async function saveSchema(
  path: string,
  taskType: string,
  ids: readonly number[],
  names: readonly string[],
): Promise<void> {
  if (ids.length !== names.length) {
    throw new RangeError(`${path}: ${ids.length} category ids and ${names.length} names; give as many of each`);
  }
  const categories = ids.map((id, i) => ({ id, name: names[i] }));
  await writeAside(path, [jsonText({ task_type: taskType, categories })]);
}

/** Writes the names of prediction tasks as a JSON list (lightly.utils.io.save_tasks). */
export async function saveTasks(path: string, tasks: readonly string[]): Promise<void> {
  await writeAside(path, [jsonText(tasks)]);
}
