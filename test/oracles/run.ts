/** `npm run test:oracles [-- --device cpu] [--only losses/swav]`; cases from $ORACLES. Exit code 1 when a case fails. */
import { parseArgs } from 'node:util';
import { count, type FileResult } from './checker.ts';
import { runTests, testedIn } from './elsewhere.ts';
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

const OUTCOMES = ['passed', 'failed', 'unsupported', 'elsewhere'] as const;

const line = (name: string, cases: number, counts: readonly number[]): string =>
  `${columns(name, cases, counts[0] + counts[1], ...counts)}\n`;

const print = (file: FileResult): void => {
  process.stdout.write(
    line(
      file.path,
      file.cases,
      OUTCOMES.map((outcome) => count(file, outcome)),
    ),
  );
  for (const { index, outcome, reason } of file.results) {
    if (outcome === 'failed' || (values.verbose && outcome === 'unsupported' && reason)) {
      process.stdout.write(`  case ${index} ${outcome}: ${reason}\n`);
    }
  }
};

process.stdout.write(`${columns('file', 'cases', 'checked', ...OUTCOMES)}\n`);
const files = await runOracles({
  folder: oracleFolder(),
  device: values.device,
  onFile: print,
  ...(values.only === undefined ? {} : { only: values.only }),
});
const totals = OUTCOMES.map((outcome) => files.reduce((sum, file) => sum + count(file, outcome), 0));
process.stdout.write(
  line(
    'all',
    files.reduce((sum, file) => sum + file.cases, 0),
    totals,
  ),
);

let failed = totals[1];
const elsewhere = files.filter((file) => count(file, 'elsewhere') > 0).flatMap(({ path }) => testedIn(path));
if (elsewhere.length > 0)
  process.stdout.write(`\n${columns('tests of the cases elsewhere', 'tests', 'passed', 'failed')}\n`);
for (const test of new Set(elsewhere)) {
  const result = await runTests(test);
  process.stdout.write(`${columns(test, result.tests, result.passed, result.failed)}\n`);
  for (const message of result.messages) process.stdout.write(`  ${message}\n`);
  failed += result.failed;
}
process.exitCode = failed > 0 ? 1 : 0;
