// Specs that are not run, each with the reason. A pattern is matched against the full name of the spec.
const exclusions = { cpu: [], wasm: [], torch: [] };

/** @returns why the spec is not run on this backend; null: it is run */
export function reasonToExclude(backend, name) {
  return exclusions[backend].find(({ pattern }) => pattern.test(name))?.reason ?? null;
}
