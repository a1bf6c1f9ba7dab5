/** Compiled validators, one per node type, made when first needed. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { NodeDeclaration } from '../node-type.ts';
import { explain, type ParamProblem } from './explain.ts';
import { type JsonSchema, toJsonSchema } from './json-schema.ts';

interface Compiled {
  readonly schema: JsonSchema;
  readonly validate: ValidateFunction;
}

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  strict: false,
  validateSchema: false,
  logger: false,
  messages: false,
  // a validator runs a few times in a process: optimising its code costs more than it saves
  code: { optimize: false },
});
const compiled = new WeakMap<object, Compiled>();

function compile(key: object, schema: () => JsonSchema): Compiled {
  const before = compiled.get(key);
  if (before) return before;
  const made = schema();
  const result = { schema: made, validate: ajv.compile(made) };
  compiled.set(key, result);
  return result;
}

/** The JSON Schema of a node type's params. */
export function paramsSchema(declared: NodeDeclaration): JsonSchema {
  return compile(declared, () => toJsonSchema(declared.params)).schema;
}

/** Every mistake in the params of a node type, inline nodes aside; empty when all is well. */
export function validateParams(declared: NodeDeclaration, params: unknown): ParamProblem[] {
  return problems(
    compile(declared, () => toJsonSchema(declared.params)),
    params,
    declared.type,
  );
}

/** The same for a value with a schema of its own. @param owner what has this value, e.g. "run" */
export function validateValue(schema: JsonSchema, value: unknown, owner: string): ParamProblem[] {
  return problems(
    compile(schema, () => schema),
    value,
    owner,
  );
}

function problems({ validate }: Compiled, value: unknown, owner: string): ParamProblem[] {
  return validate(value) ? [] : explain(validate.errors ?? [], owner);
}
