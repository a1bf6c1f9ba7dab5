/** Something that the add-on needs is not here: one sentence, the reason and what would help. */
export class Missing extends Error {
  readonly reason: string;
  readonly cure: string;

  constructor(reason: string, cure: string) {
    super(`${reason}: ${cure}`);
    this.name = 'Missing';
    this.reason = reason;
    this.cure = cure;
  }
}

/** By name: a loader may have made two copies of this module. */
export const isMissing = (error: unknown): error is Missing => error instanceof Error && error.name === 'Missing';
