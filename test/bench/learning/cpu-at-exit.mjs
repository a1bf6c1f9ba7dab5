// Imported by a run that is measured: what the whole process, with its threads, has worked.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.env.CPU_FILE) {
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    writeFileSync(process.env.CPU_FILE, String((user + system) / 1e6));
  });
}
