/** Params against their schema. The validator is loaded, and compiled, when there is something to explain. */
import { createRequire } from 'node:module';
import type { Ajv2020, ErrorObject } from 'ajv/dist/2020.js';
import type { NodeDeclaration } from '../node-type.ts';
import { conforms } from './conforms.ts';
import { explain, type ParamProblem } from './explain.ts';
import { type JsonSchema, toJsonSchema } from './json-schema.ts';

const schemas = new WeakMap<NodeDeclaration, JsonSchema>();
let ajv: Ajv2020 | undefined;

/** The JSON Schema of a node type's params. */
export function paramsSchema(declared: NodeDeclaration): JsonSchema {
  const before = schemas.get(declared);
  if (before) return before;
  const made = toJsonSchema(declared.params);
  schemas.set(declared, made);
  return made;
}

/** Every mistake in the params of a node type, inline nodes aside; empty when all is well. */
export function validateParams(declared: NodeDeclaration, params: unknown): ParamProblem[] {
  return validateValue(paramsSchema(declared), params, declared.type);
}

/** The same for a value with a schema of its own. @param owner what has this value, e.g. "run" */
export function validateValue(schema: JsonSchema, value: unknown, owner: string): ParamProblem[] {
  return conforms(schema, value) ? [] : explain(errorsOf(schema, value), owner);
}

function errorsOf(schema: JsonSchema, value: unknown): readonly ErrorObject[] {
  ajv ??= openAjv();
  const validate = ajv.compile(schema); // kept by ajv for the next value
  return validate(value) ? [] : (validate.errors ?? []);
}

function openAjv(): Ajv2020 {
  const { Ajv2020: Ajv } = createRequire(import.meta.url)('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  return new Ajv({
    allErrors: true,
    verbose: true,
    strict: false,
    validateSchema: false,
    logger: false,
    messages: false,
  });
}
