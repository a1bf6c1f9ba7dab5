import { didYouMean } from '../problem.ts';
import type { Dict, Tree } from './located.ts';
import type { Mistakes } from './mistakes.ts';

/** What a document may say, in the order in which it is written out. */
export const SECTIONS = [
  '$schema',
  'format',
  'name',
  'description',
  'extends',
  'inputs',
  'outputs',
  'knobs',
  'nodes',
  'run',
  'hooks',
] as const;

const NODE_NAME = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/;
const KNOB_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The frame of one document: known sections of the right kind, names that can be referred to. What nodes and hooks say
 * inside is left to the node types. A node name may hold `/`: that is how members of chains and sub-graphs are named.
 */
export function checkStructure(document: Tree, mistakes: Mistakes): document is Dict {
  if (document.kind !== 'dict') {
    mistakes.add(document, undefined, 'a pipeline is an object', 'Write { "nodes": { } }');
    return false;
  }
  for (const [key, value] of document.entries) checkSection(key, value, mistakes);
  return true;
}

function checkSection(key: string, value: Tree, mistakes: Mistakes): void {
  switch (key) {
    case '$schema':
    case 'name':
    case 'description':
      if (!isText(value)) mistakes.add(value, key, `is ${kindOf(value)}, not a text`);
      break;
    case 'format':
      break;
    case 'extends':
      if (!isText(value) && !(value.kind === 'list' && value.items.every(isText))) {
        mistakes.add(value, key, `is ${kindOf(value)}, not a path or a list of paths`);
      }
      break;
    case 'knobs':
      eachNamed(key, value, mistakes, (name, knob) => {
        if (!KNOB_NAME.test(name))
          badName(name, knob, 'knob', 'letters, digits and _, and begins with no digit', mistakes);
      });
      break;
    case 'nodes':
      eachNamed(key, value, mistakes, (name, node) => {
        if (!NODE_NAME.test(name)) badName(name, node, 'node', 'letters, digits, _ and -', mistakes);
        if (node.kind !== 'dict' && !isNull(node)) {
          mistakes.add(
            node,
            `nodes.${name}`,
            `is ${kindOf(node)}, not an object`,
            'Write { "type": … }, or null to remove it',
          );
        }
      });
      break;
    case 'inputs':
    case 'outputs':
    case 'run':
      eachNamed(key, value, mistakes, () => {});
      break;
    case 'hooks':
      if (isNull(value)) break;
      if (value.kind !== 'list') mistakes.add(value, key, `is ${kindOf(value)}, not a list`, 'Write [{ "type": … }]');
      else checkHooks(value.items, mistakes);
      break;
    default:
      mistakes.add(value.key, key, 'no such section in a pipeline', didYouMean(key, SECTIONS));
  }
}

function checkHooks(hooks: readonly Tree[], mistakes: Mistakes): void {
  for (const [index, hook] of hooks.entries()) {
    if (hook.kind !== 'dict' && !isNull(hook)) {
      mistakes.add(hook, `hooks.${index}`, `is ${kindOf(hook)}, not an object`, 'Write { "type": … }');
    }
  }
}

function eachNamed(section: string, value: Tree, mistakes: Mistakes, check: (name: string, item: Tree) => void): void {
  if (value.kind !== 'dict')
    mistakes.add(value, section, `is ${kindOf(value)}, not an object`, `Write "${section}": { }`);
  else for (const [name, item] of value.entries) check(name, item);
}

function badName(name: string, item: Tree, what: string, rule: string, mistakes: Mistakes): void {
  mistakes.add(item.key ?? item, `${what}s.${name}`, `"${name}" is no name for a ${what}`, `A name holds ${rule}`);
}

export function isNull(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.value === null;
}

function isText(tree: Tree): boolean {
  return tree.kind === 'scalar' && typeof tree.value === 'string';
}

/** The kind of a value in plain words, with its article. */
export function kindOf(tree: Tree): string {
  if (tree.kind === 'list') return 'a list';
  if (tree.kind === 'dict') return 'an object';
  if (tree.value === null) return 'null';
  return { number: 'a number', boolean: 'true or false', string: 'a text' }[typeof tree.value as 'number'];
}
