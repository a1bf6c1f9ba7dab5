import { execFileSync } from 'node:child_process';

/** Folder of a package of $PYTHON, python3 or python, the first that has it; null: none has. Nothing is imported. */
export function pythonPackage(name: string, environment: NodeJS.ProcessEnv): string | null {
  const code = `import importlib.util as u; s = u.find_spec("${name}"); print((s and s.submodule_search_locations or [""])[0])`;
  for (const python of [environment.PYTHON, 'python3', 'python']) {
    if (!python) continue;
    try {
      const folder = execFileSync(python, ['-c', code], {
        encoding: 'utf8',
        env: environment,
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
      if (folder) return folder;
    } catch {
      // no such Python, or one that does not start: the next
    }
  }
  return null;
}
