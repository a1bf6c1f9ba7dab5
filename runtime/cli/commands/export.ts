/** `pipe export`: weights of a trained model as a file for other programs. */
import { ExportError, type ExportRequest, exportWeights } from '../../train/export-weights.ts';
import { parseRenaming } from '../../train/rename.ts';
import { plural } from '../output.ts';
import { refusal } from '../request.ts';

interface ExportOptions extends Pick<ExportRequest, 'node' | 'to' | 'names'> {
  readonly json?: boolean;
  readonly rename?: readonly string[];
}

export async function exportModel(from: string, { node, to, names, rename = [], json }: ExportOptions): Promise<void> {
  const changes = rename.map((text) => {
    const change = parseRenaming(text);
    if (change) return change;
    throw refusal(`--rename ${text} says no names`, 'Write old=new: "module.=" takes away, "=trunk." puts in front');
  });
  try {
    const done = await exportWeights({ from, node, to, names, rename: changes });
    if (json) {
      process.stdout.write(`${JSON.stringify({ ...done, to, names }, null, 2)}\n`);
      return;
    }
    const skipped =
      done.skipped.length > 0 ? `; left out, as ${names} does: ${plural(done.skipped.length, 'tensor')}` : '';
    process.stdout.write(
      `${to}: ${plural(done.tensors, 'tensor')}, ${(done.parameters / 1e6).toFixed(2)} million parameters, from ${done.from}${skipped}\n`,
    );
  } catch (error) {
    if (error instanceof ExportError) throw refusal(error.message);
    throw error;
  }
}
