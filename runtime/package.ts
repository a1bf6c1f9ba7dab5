/** Where the package is installed: pipelines/, schema/ and package.json lie there, whether TypeScript or dist/ runs. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('pipe-ssl: package.json not found above the program; reinstall the package');
  return find(parent);
}

export const packageRoot = find(dirname(fileURLToPath(import.meta.url)));
/** pipelines that ship, found by name: "quick/swav" */
export const pipelinesFolder = join(packageRoot, 'pipelines');
