import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Version of an installed package, without loading it; null where it is not installed. */
export function packageVersion(name: string): string | null {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return null;
  }
}
