/** The registry of a command: node types that ship, and those of its --plugin options. */
import { createRegistry, PluginError, type Registry } from '../../graph/registry.ts';
import { WrongRequest } from './output.ts';

export async function openRegistry(plugins: readonly string[] = []): Promise<Registry> {
  if (plugins.length > 0) await (await import('../plugins.ts')).enablePlugins();
  try {
    return await createRegistry({ plugins });
  } catch (error) {
    if (error instanceof PluginError) throw new WrongRequest([{ layer: 'environment', message: error.message }]);
    throw error;
  }
}
