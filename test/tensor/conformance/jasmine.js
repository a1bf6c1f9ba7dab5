// Runs the bundled specs under jasmine and prints passed / failed / excluded. Arguments as run.js gives them.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { reasonToExclude } from './exclusions.js';

const [backend, specs, grep, list] = process.argv.slice(2);
const jasmineRequire = createRequire(import.meta.url)('jasmine-core');
const jasmine = jasmineRequire.boot(jasmineRequire);
const env = jasmine.getEnv();

console.warn = () => {}; // deprecation notices of the package about itself
await import(pathToFileURL(specs).href);

const excluded = [];
env.configure({
  random: false,
  specFilter: (spec) => {
    const name = spec.getFullName();
    const reason = reasonToExclude(backend, name);
    if (reason) excluded.push(`${name} (${reason})`);
    return !reason && name.includes(grep);
  },
});
const counts = { passed: 0, failed: 0, pending: 0 };
env.addReporter({
  specDone({ status, fullName, failedExpectations }) {
    if (status in counts) counts[status]++;
    if (status === 'failed' && list === 'true') {
      console.log(`FAILED ${fullName}\n       ${failedExpectations[0]?.message.slice(0, 300)}`);
    }
  },
  jasmineDone() {
    if (list === 'true') for (const line of excluded) console.log(`EXCLUDED ${line}`);
    // pending: the suite itself marks these as not to be run
    console.log(
      `${counts.passed} passed, ${counts.failed} failed, ${excluded.length} excluded, ${counts.pending} pending`,
    );
    process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
  },
});
env.execute();
