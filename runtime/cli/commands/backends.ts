/** `pipe backends`: which work here; `pipe backends build torch`: compile the add-on for the libtorch of this machine. */
import { availableBackends } from '../../tensor/backend.ts';
import { buildTorch } from '../../tensor/native/build.ts';

export async function list(options: { json?: boolean }): Promise<void> {
  const states = await availableBackends();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(states, null, 2)}\n`);
    return;
  }
  for (const { name, available, device, version, reason, cure } of states) {
    const state = available ? [device, version].filter(Boolean).join(', ') : `${reason}; to add it: ${cure}`;
    process.stdout.write(`${available ? '✓' : '✗'} ${name.padEnd(12)} ${state}\n`);
  }
}

export async function build(_backend: 'torch', options: { force?: boolean }): Promise<void> {
  await buildTorch({ log: (line) => process.stderr.write(`${line}\n`), force: options.force });
}
