import { readFile } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Problem } from '../problem.ts';
import { findDocument } from './find.ts';
import { upgrade } from './format.ts';
import { type Dict, type Scalar, type Tree, withEntry } from './located.ts';
import { checkRemovals, mergeDocuments } from './merge.ts';
import { Mistakes } from './mistakes.ts';
import { parse } from './parse.ts';
import { checkStructure } from './structure.ts';

/** These tell documents apart, so a document has its own and takes none from what it extends or from a part. */
const IDENTITY = ['$schema', 'name', 'description'];

export interface LoadRequest {
  /** A path or the name of a shipped pipeline; or a document that a program built. */
  readonly document: string | Tree;
  /** What relative paths are relative to. */
  readonly folder: string;
  /** The folder of the pipelines that ship. */
  readonly pipelines: string;
  /** Documents to merge afterwards, in order. */
  readonly parts?: readonly string[];
  /** What mentions the document, for messages. */
  readonly at?: Tree;
  readonly where?: string;
}

/** The document with all that it extends and the parts, merged; and its path, unless a program built it. */
export interface Loaded {
  readonly tree: Dict;
  readonly file?: string;
}

export async function load(request: LoadRequest): Promise<Either<Problem[], Loaded>> {
  const { document, folder, parts = [], at, where } = request;
  const reading = new Reading(request.pipelines);
  const file =
    typeof document === 'string'
      ? await reading.mention({ wanted: document, folder, at, where, source: 'document' }, [])
      : await reading.adopt(document, folder, 'document', []);
  for (const wanted of parts) await reading.mention({ wanted, folder, where: '--with', source: 'part' }, []);
  if (reading.problems.length > 0) return left(reading.problems);

  const mistakes = new Mistakes('schema');
  const main = reading.order[reading.main]!;
  const [first, ...later] = reading.order.map((tree) => (tree === main ? tree : withoutIdentity(tree)));
  const nodes = first!.entries.get('nodes');
  if (nodes?.kind === 'dict') checkRemovals(nodes, undefined, mistakes);
  const tree = later.reduce((merged, next) => mergeDocuments(merged, next, mistakes), first!);
  return mistakes.none ? right({ tree, file }) : left(mistakes.found);
}

/** A mention of a document: where it is written, and as what. */
interface Mention {
  readonly wanted: string;
  readonly folder: string;
  readonly at?: Tree;
  readonly where?: string;
  readonly source: 'document' | 'part';
}

/**
 * Reads documents, each after those it extends, and all their problems. One that is reached twice counts once, the
 * first time, so that a shared base never undoes what was built on it.
 */
class Reading {
  readonly problems: Problem[] = [];
  readonly order: Dict[] = [];
  /** Position in `order` of the first document asked for. */
  main = 0;
  readonly #pipelines: string;
  readonly #done = new Set<string>();

  constructor(pipelines: string) {
    this.#pipelines = pipelines;
  }

  /** @param chain the files that are being read because of each other */
  async mention(mention: Mention, chain: readonly string[]): Promise<string | undefined> {
    const found = await findDocument(mention.wanted, mention.folder, this.#pipelines);
    if (!('file' in found)) {
      this.#report('environment', mention, found.message, found.cure);
      return undefined;
    }
    const { file } = found;
    if (chain.includes(file)) {
      const names = [...chain.slice(chain.indexOf(file)), file].map((link) => relative(mention.folder, link));
      this.#report('schema', mention, `the documents extend each other in a circle: ${names.join(' → ')}`);
      return file;
    }
    if (this.#done.has(file)) return file;
    this.#done.add(file);
    const tree = await this.#read(file, mention);
    if (tree) await this.adopt(tree, dirname(file), mention.source, [...chain, file]);
    return file;
  }

  async #read(file: string, mention: Mention): Promise<Tree | undefined> {
    const content = await readFile(file, 'utf8').catch((error: Error) => error);
    if (content instanceof Error) {
      this.#report('environment', mention, `"${mention.wanted}" cannot be read: ${content.message}`);
      return undefined;
    }
    const parsed = parse(content, file, mention.source);
    if (!isLeft(parsed)) return parsed.right;
    this.problems.push(...parsed.left);
    return undefined;
  }

  /** Puts what the document extends into the order, then the document itself. */
  async adopt(tree: Tree, folder: string, source: Mention['source'], chain: readonly string[]): Promise<undefined> {
    const mistakes = new Mistakes('schema');
    const document = checkStructure(tree, mistakes) ? upgrade(tree, mistakes) : undefined;
    this.problems.push(...mistakes.found);
    if (!document) return;
    for (const base of extended(document)) {
      await this.mention({ wanted: String(base.value), folder, at: base, where: 'extends', source }, chain);
    }
    if (source === 'document' && chain.length <= 1) this.main = this.order.length;
    this.order.push(withEntry(document, 'extends', undefined));
  }

  #report(layer: Problem['layer'], { at, where }: Mention, message: string, cure?: string): void {
    const mistakes = new Mistakes(layer);
    mistakes.add(at, where, message, cure);
    this.problems.push(...mistakes.found);
  }
}

function extended(document: Dict): Scalar[] {
  const named = document.entries.get('extends');
  const bases = named?.kind === 'list' ? named.items : named ? [named] : [];
  return bases.filter((base) => base.kind === 'scalar');
}

function withoutIdentity(document: Dict): Dict {
  return IDENTITY.reduce((tree, key) => (tree.entries.has(key) ? withEntry(tree, key, undefined) : tree), document);
}
