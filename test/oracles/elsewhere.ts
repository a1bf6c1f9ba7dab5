/** Reference cases that tests of their area check without a checker here; the runner runs those tests. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const pixels = 'test/data/pixels';

const ELSEWHERE: readonly { readonly pattern: RegExp; readonly tests: readonly string[] }[] = [
  { pattern: /^collators\//, tests: ['test/nodes/collators/recorded.test.ts'] },
  { pattern: /^samplers\//, tests: ['test/data/samplers.test.ts'] },
  { pattern: /^transforms\/images\.json$/, tests: ['test/data/decode.test.ts'] },
  {
    pattern: /^transforms\/(color_jitter_ranges|random_resized_crop_params)\.json$/,
    tests: [`${pixels}/sampling.test.ts`],
  },
  {
    pattern: /^transforms\/(photometric|geometric)\.json$/,
    tests: [`${pixels}/oracles.test.ts`, 'test/nodes/transforms/recorded.test.ts'],
  },
  { pattern: /^transforms\//, tests: ['test/nodes/transforms/recorded.test.ts'] },
];

/** The test files that have the cases of `path`. */
export const testedIn = (path: string): readonly string[] =>
  ELSEWHERE.find(({ pattern }) => pattern.test(path))?.tests ?? [];

export interface TestResult {
  readonly test: string;
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  readonly messages: readonly string[];
}

/** Runs a test file with the same cases and reads its result. */
export async function runTests(test: string): Promise<TestResult> {
  const mocha = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'));
  const output = await new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, [mocha, '--reporter', 'json', '--exit', test], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
  const start = output.indexOf('{\n  "stats"');
  if (start < 0) return { test, tests: 0, passed: 0, failed: 1, messages: [`${test} did not run:\n${output}`] };
  const { stats, failures } = JSON.parse(output.slice(start));
  const messages = failures.map((failure: any) => `${failure.fullTitle}: ${failure.err.message}`);
  return { test, tests: stats.tests, passed: stats.passes, failed: stats.failures, messages };
}
