import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { type ResolvedDocument, type ResolveOptions, resolveDocument } from '../../../graph/document/resolve.ts';
import { formatProblem, type Problem } from '../../../graph/problem.ts';

/** A folder of documents for one test. */
export class Folder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Files by relative path; a text as it is, anything else as JSON in one line. */
  static async of(files: Record<string, unknown>): Promise<Folder> {
    const folder = new Folder(await realpath(await mkdtemp(join(tmpdir(), 'pipe-document-'))));
    for (const [name, content] of Object.entries(files)) {
      const file = join(folder.path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    }
    return folder;
  }

  resolve(name: string, options: ResolveOptions = {}): Promise<Either<Problem[], ResolvedDocument>> {
    return resolveDocument(name, { cwd: this.path, pipelinesDir: join(this.path, 'pipelines'), ...options });
  }

  /** The resolved document; throws with the problems when there are some. */
  async document(name: string, options: ResolveOptions = {}): Promise<ResolvedDocument> {
    const result = await this.resolve(name, options);
    if (isLeft(result)) throw new Error(this.lines(result.left).join('\n'));
    return result.right;
  }

  /** The problems as they are shown; none when the document is right. */
  async problems(name: string, options: ResolveOptions = {}): Promise<string[]> {
    const result = await this.resolve(name, options);
    return isLeft(result) ? this.lines(result.left) : [];
  }

  lines(problems: readonly Problem[]): string[] {
    return problems.map((problem) => formatProblem(problem, this.path).replaceAll(this.path, '.'));
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true });
  }
}

/** Runs a test in a folder that is removed afterwards. */
export async function inFolder(files: Record<string, unknown>, test: (folder: Folder) => Promise<void>): Promise<void> {
  const folder = await Folder.of(files);
  try {
    await test(folder);
  } finally {
    await folder.remove();
  }
}
