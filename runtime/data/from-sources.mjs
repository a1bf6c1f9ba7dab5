// First module of a worker thread, or of a process for a rank, that runs the TypeScript sources: a loader that the main
// thread registered is not in force there. The compiled package does without.
import { register } from 'tsx/esm/api';

register();
await import(process.argv[2]);
