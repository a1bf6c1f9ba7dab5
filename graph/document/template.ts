/** A reference to a knob, or to a part of its value: `${crops}`, `${crops[0]}`, `${sizes.large}`. */
export interface Reference {
  readonly knob: string;
  readonly steps: readonly string[];
  /** As written, with its braces. */
  readonly text: string;
}

const REFERENCE = /^\s*([A-Za-z_]\w*)((?:\[\d+\]|\.[A-Za-z_]\w*)*)\s*$/;

/**
 * A text taken apart at its `${…}`.
 * @throws SyntaxError in plain words for a brace that is not closed and for anything but a name in the braces
 */
export function parseTemplate(text: string): (string | Reference)[] {
  const pieces: (string | Reference)[] = [];
  let position = 0;
  for (let start = text.indexOf('${'); start >= 0; start = text.indexOf('${', position)) {
    const end = text.indexOf('}', start);
    if (end < 0) throw new SyntaxError(`the \${ in "${text}" has no }`);
    if (start > position) pieces.push(text.slice(position, start));
    pieces.push(parseReference(text.slice(start, end + 1)));
    position = end + 1;
  }
  if (position < text.length) pieces.push(text.slice(position));
  return pieces;
}

function parseReference(text: string): Reference {
  const match = REFERENCE.exec(text.slice(2, -1));
  if (!match) {
    throw new SyntaxError(
      `${text} does not name a knob: a name stands in the braces, with an index or key at most, and arithmetic around them`,
    );
  }
  const steps = match[2]!.match(/\w+/g) ?? [];
  return { knob: match[1]!, steps, text };
}
