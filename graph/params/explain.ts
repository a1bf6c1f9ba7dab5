/** What a validator objects to, as one message per mistake. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { didYouMean, nearest } from '../problem.ts';
import type { JsonSchema } from './json-schema.ts';
import { given, literals, wanted } from './words.ts';

export interface ParamProblem {
  /** keys and indices from the params down */
  readonly path: readonly string[];
  /** the mistake is the key, not its value */
  readonly key?: boolean;
  readonly message: string;
  readonly cure?: string;
}

/** @param owner what has these params, e.g. "loss/swav" */
export function explain(errors: readonly ErrorObject[], owner: string): ParamProblem[] {
  const outer = withoutAlternatives(errors);
  const unknown = new Set(
    outer.flatMap((error) => {
      const key = unknownKey(error);
      const meant = key === undefined ? undefined : nearest(key, Object.keys(properties(error)));
      return meant === undefined ? [] : [`${error.instancePath}/${meant}`];
    }),
  );
  return outer
    .filter(({ keyword, instancePath, params }) => {
      // a misspelt key is one mistake, even where the key that was meant is required
      return keyword !== 'required' || !unknown.has(`${instancePath}/${params.missingProperty}`);
    })
    .flatMap((error) => explainOne(error, errors, owner));
}

/** Errors inside the alternatives of an anyOf belong to that anyOf. */
function withoutAlternatives(errors: readonly ErrorObject[]): ErrorObject[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ schemaPath }) => `${schemaPath}/`);
  return errors.filter(({ schemaPath }) => !unions.some((union) => schemaPath.startsWith(union)));
}

function explainOne(error: ErrorObject, all: readonly ErrorObject[], owner: string): ParamProblem[] {
  const { keyword, params, data } = error;
  const schema = error.parentSchema as JsonSchema;
  const path = pathOf(error.instancePath);
  const inside = path.length > 0 ? `${owner}'s ${path.join('.')}` : owner;
  const key = unknownKey(error);
  if (key !== undefined) {
    const known = Object.keys(properties(error));
    return [
      {
        path: [...path, key],
        key: true,
        message: `${inside} has no ${path.length > 0 || !owner.includes('/') ? 'key' : 'param'} "${key}"`,
        cure: didYouMean(key, known) || `It has: ${known.join(', ')}`,
      },
    ];
  }
  switch (keyword) {
    case 'required': {
      const missing: string = params.missingProperty;
      const { description, ...inner } = properties(error)[missing] ?? {};
      const what = description ? `: ${description}` : '';
      return [{ path, message: `${inside} needs "${missing}"${what}`, cure: `Add "${missing}": ${wanted(inner)}` }];
    }
    case 'anyOf':
      return explainUnion(error, all, owner);
    case 'minItems':
      return [{ path, message: `has ${items(data)}, and needs at least ${params.limit}` }];
    case 'maxItems':
    case 'items':
      return [{ path, message: `has ${items(data)}, and may have at most ${params.limit}` }];
    case 'minLength':
      return [{ path, message: 'is empty' }];
    case 'uniqueItems':
      return [{ path, message: `has the same value at ${params.j} and ${params.i}` }];
    case 'pattern':
      return [{ path, message: `is ${given(data)}, which does not match ${params.pattern}` }];
    case 'multipleOf':
      return [{ path, message: `is ${given(data)}, and must be a multiple of ${params.multipleOf}` }];
    default:
      return [mismatch(path, data, schema)];
  }
}

/** The alternative that was meant is the one that has nothing against the value itself; then its inner mistakes count. */
function explainUnion(union: ErrorObject, all: readonly ErrorObject[], owner: string): ParamProblem[] {
  const path = pathOf(union.instancePath);
  const schema = union.parentSchema as JsonSchema;
  for (const [i] of (schema.anyOf ?? []).entries()) {
    const inner = all.filter(
      ({ schemaPath, instancePath }) =>
        schemaPath.startsWith(`${union.schemaPath}/${i}/`) && `${instancePath}/`.startsWith(`${union.instancePath}/`),
    );
    const here = inner.filter(({ instancePath, keyword }) => instancePath === union.instancePath && SHAPE.has(keyword));
    if (here.length === 0 && inner.length > 0) return explain(inner, owner);
  }
  return [mismatch(path, union.data, schema)];
}

/** keywords that say a value is of another form altogether */
const SHAPE = new Set(['type', 'const', 'enum', 'anyOf']);

function mismatch(path: readonly string[], data: unknown, schema: JsonSchema): ParamProblem {
  const choices = literals(schema)?.filter((choice) => typeof choice === 'string');
  const near = typeof data === 'string' && choices ? nearest(data, choices as string[]) : undefined;
  const message = `is ${given(data)}, and must be ${wanted(schema)}`;
  return near === undefined ? { path, message } : { path, message, cure: `Did you mean "${near}"?` };
}

function unknownKey({ keyword, params }: ErrorObject): string | undefined {
  return keyword === 'additionalProperties' ? params.additionalProperty : undefined;
}

function properties(error: ErrorObject): Readonly<Record<string, JsonSchema>> {
  return (error.parentSchema as JsonSchema).properties ?? {};
}

function items(data: unknown): string {
  const count = (data as readonly unknown[]).length;
  return count === 1 ? '1 item' : `${count} items`;
}

function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
