/**
 * Throws a RangeError that names the file names with a comma, which readers of CSV without quotes take apart
 * (lightly.utils.io.check_filenames, up to lightly 1.4). `saveEmbeddings` quotes them and needs no such check.
 */
export function checkFilenames(filenames: readonly string[]): void {
  const bad = filenames.filter((name) => name.includes(','));
  if (bad.length === 0) return;
  const shown = bad.slice(0, 10).map((name) => JSON.stringify(name));
  const more = bad.length > shown.length ? ` and ${bad.length - shown.length} more` : '';
  throw new RangeError(`file names with a comma: ${shown.join(', ')}${more}. Rename these files.`);
}
