// After installation: build the torch backend where a libtorch and a compiler are found. Never fails an installation.
import { existsSync } from 'node:fs';

const builder = new URL('../dist/runtime/tensor/native/build.js', import.meta.url);
// in a checkout this runs twice: before the project is built, when there is nothing to do, and after
if (existsSync(builder)) {
  const log = (line) => process.stderr.write(`pipe-ssl: ${line}\n`);
  try {
    const { buildTorchIfPossible } = await import(builder.href);
    await buildTorchIfPossible(log);
  } catch (error) {
    log(`the torch backend was not built (${error.message}); later: pipe backends build torch`);
  }
}
