// After installation: build the torch backend where a libtorch and a compiler are found. Never fails an installation.
const log = (line) => process.stderr.write(`pipe-ssl: ${line}\n`);
try {
  const { buildTorchIfPossible } = await import('../dist/runtime/tensor/native/build.js');
  await buildTorchIfPossible(log);
} catch {
  // a checkout, not built yet
  log('`pipe backends build torch` builds the torch backend, where PyTorch or libtorch is installed');
}
