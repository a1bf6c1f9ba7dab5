/** `pipe check`: all mistakes of a pipeline, placed, before anything runs. */
import { exitCode, plural, printProblems, WrongRequest } from '../output.ts';
import { checkPipeline, type DocumentOptions, openPipeline, printNotes } from '../pipeline.ts';

export async function check(pipeline: string, overrides: readonly string[], options: DocumentOptions): Promise<void> {
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
