/** Names of tensors with something else in front. */

export interface Renaming {
  /** what names begin with; '' for all names */
  readonly from: string;
  readonly to: string;
}

/** Names that begin with `from` begin with `to` instead, once; others stay. {from: '', to: 'trunk.'} puts it before all. */
export const renamed = (name: string, { from, to }: Renaming): string =>
  name.startsWith(from) ? to + name.slice(from.length) : name;

/** "module.=" or "=trunk." from a command line; undefined where it says no renaming. */
export function parseRenaming(text: string): Renaming | undefined {
  const at = text.indexOf('=');
  return at < 0 || text === '=' ? undefined : { from: text.slice(0, at), to: text.slice(at + 1) };
}

/** VISSL's trunks for linear evaluation keep the trunk itself as "base_model". */
export const isFeatureExtractor = (names: readonly string[]): boolean =>
  names.every((name) => name.startsWith('base_model.'));
