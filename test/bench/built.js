/**
 * Puts what dist/ has in the place of its TypeScript source, so that a bench times what users run: what is compiled on the
 * fly keeps every function's name, which costs about a tenth of the time spent in small functions. After `npm run build`:
 * node --import=tsx --import=./test/bench/built.js test/bench/check.ts
 */
import { register } from 'node:module';

register('./built-hooks.js', import.meta.url);
