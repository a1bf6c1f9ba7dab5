/** What a checkpoint's manifest.json holds. */
import { type StaticDecode, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** Version of the checkpoint's layout; a reader refuses other ones. */
export const CHECKPOINT_FORMAT = 1;

export const MANIFEST = 'manifest.json';

const Count = Type.Integer({ minimum: 0 });

/** JSON has no NaN and no infinity; a run whose loss was not finite has a checkpoint all the same. */
const Float = Type.Transform(
  Type.Union([Type.Number(), Type.Literal('NaN'), Type.Literal('Infinity'), Type.Literal('-Infinity')]),
)
  .Decode(Number)
  .Encode((value) => (Number.isFinite(value) ? value : (String(value) as 'NaN')));

/** Where to go on: batch `step` of entry `phase` of the epoch's phases (their number: evaluation is what comes next). */
const PositionSchema = Type.Object({
  epoch: Count,
  phase: Count,
  /** batches of that phase done: the sampler's position */
  step: Count,
  /** training steps done */
  iteration: Count,
  /** training phases begun */
  trainingPhases: Count,
  /** phases ended, of any kind */
  phasesDone: Count,
  /** sum of the losses of the running phase, for its mean */
  lossSum: Float,
});

export type Position = StaticDecode<typeof PositionSchema>;

const ManifestSchema = Type.Object({
  format: Type.Integer(),
  package: Type.String(),
  written: Type.String(),
  /** order of writing: the newest checkpoint has the highest */
  sequence: Count,
  reason: Type.String(),
  /** the run was complete */
  final: Type.Boolean(),
  position: PositionSchema,
  /** samples of the training dataset */
  trainSamples: Count,
  /** numbers that nodes keep, "<node>.<name>" */
  numbers: Type.Record(Type.String(), Float),
  /** states that hooks keep, by hook name */
  hooks: Type.Record(Type.String(), Type.Unknown()),
  /** bytes of metrics.json that belong to the time before */
  metricsBytes: Count,
  /** what the weights depend on, see compare.ts */
  signature: Type.Unknown(),
  documentSha256: Type.String(),
  document: Type.Unknown(),
  files: Type.Record(Type.String(), Type.Object({ bytes: Count, sha256: Type.String() })),
});

export type Manifest = StaticDecode<typeof ManifestSchema>;

/** A checkpoint of another version of this program, which is not damaged. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}

/** @throws FormatError for another format, else an Error that says what is wrong with the text */
export function parseManifest(text: string): Manifest {
  const value: unknown = JSON.parse(text);
  const format = (value as { format?: unknown } | null)?.format;
  if (Number.isInteger(format) && format !== CHECKPOINT_FORMAT) {
    throw new FormatError(
      `its format is ${format}; this version of pipe reads format ${CHECKPOINT_FORMAT}: use the version that wrote it`,
    );
  }
  const [mistake] = Value.Errors(ManifestSchema, value);
  if (mistake) throw new Error(`${mistake.path || 'the manifest'}: ${mistake.message}`);
  return Value.Decode(ManifestSchema, value);
}

export const formatManifest = (manifest: Manifest): string =>
  `${JSON.stringify(Value.Encode(ManifestSchema, structuredClone(manifest)), null, 2)}\n`;
