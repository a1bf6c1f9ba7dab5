/** `npm run test:oracles [-- --device cpu] [--only losses/swav]`; cases from $ORACLES. Exit code 1 when a case fails. */
import { parseArgs } from 'node:util';
import { count, type FileResult } from './checker.ts';
import { oracleFolder } from './oracle-file.ts';
import { runOracles } from './runner.ts';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'wasm' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const columns = (...cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => (i === 0 ? String(cell).padEnd(58) : String(cell).padStart(12))).join('');

const print = (file: FileResult): void => {
  const [passed, failed] = [count(file, 'passed'), count(file, 'failed')];
  const unsupported = count(file, 'unsupported');
  process.stdout.write(`${columns(file.path, file.cases, passed + failed, passed, failed, unsupported)}\n`);
  for (const { index, outcome, reason } of file.results) {
    if (outcome === 'failed' || (values.verbose && outcome === 'unsupported' && reason)) {
      process.stdout.write(`  case ${index} ${outcome}: ${reason}\n`);
    }
  }
};

process.stdout.write(`${columns('file', 'cases', 'checked', 'passed', 'failed', 'unsupported')}\n`);
const files = await runOracles({
  folder: oracleFolder(),
  device: values.device,
  onFile: print,
  ...(values.only === undefined ? {} : { only: values.only }),
});
const total = (outcome: 'passed' | 'failed' | 'unsupported') =>
  files.reduce((sum, file) => sum + count(file, outcome), 0);
const cases = files.reduce((sum, file) => sum + file.cases, 0);
const [passed, failed] = [total('passed'), total('failed')];
process.stdout.write(`${columns('all', cases, passed + failed, passed, failed, total('unsupported'))}\n`);
process.exitCode = failed > 0 ? 1 : 0;
