/** `pipe check`: all mistakes of a pipeline, placed, before anything runs. */

import { checkPipeline, type DocumentOptions, openPipeline } from '../../pipeline/open.ts';
import { WrongRequest } from '../../pipeline/wrong-request.ts';
import { exitCode, plural, printNotes, printProblems } from '../output.ts';

interface CheckOptions extends DocumentOptions {
  readonly json?: boolean;
}

export async function check(pipeline: string, overrides: readonly string[], options: CheckOptions): Promise<void> {
  try {
    const opened = await openPipeline(pipeline, overrides, options);
    const graph = await checkPipeline(opened);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ ok: true, name: graph.name, nodes: graph.nodes.length, problems: [] })}\n`,
      );
      return;
    }
    printNotes(opened.resolved);
    process.stdout.write(
      `${graph.name}: ${plural(graph.nodes.length, 'node')}, ${plural(graph.hooks.length, 'hook')}, no mistakes\n`,
    );
  } catch (error) {
    if (!(error instanceof WrongRequest)) throw error;
    if (options.json) process.stdout.write(`${JSON.stringify({ ok: false, problems: error.problems }, null, 2)}\n`);
    else printProblems(error.problems);
    process.exitCode = exitCode.wrongRequest;
  }
}
