// First module of a worker thread that runs the TypeScript sources: a loader that the main thread registered is not in
// force in its threads. The compiled package does without.
import { register } from 'tsx/esm/api';

register();
await import(process.argv[2]);
