/** The registry of a run: node types that ship, those of plugins, those of the program. */
import type { NodeDeclaration } from '../../graph/node-type.ts';
import { createRegistry, PluginError, type Registry } from '../../graph/registry.ts';
import { WrongRequest } from './wrong-request.ts';

export async function openRegistry(
  plugins: readonly string[] = [],
  types: readonly NodeDeclaration[] = [],
): Promise<Registry> {
  if (plugins.length > 0) await (await import('../plugins.ts')).enablePlugins();
  try {
    return await createRegistry({ plugins, types });
  } catch (error) {
    if (error instanceof PluginError) throw new WrongRequest([{ layer: 'environment', message: error.message }]);
    throw error;
  }
}
