import { aliasTable } from '../../../runtime/alias-table.ts';
import type { Checker } from '../checker.ts';
import { near } from '../compare.ts';
import { floats, type OracleCase } from '../oracle-file.ts';

function check({ inputs, outputs, tolerance }: OracleCase): void {
  const { stays, becomes } = aliasTable(floats(inputs.probs));
  near(stays, outputs.prob.data, tolerance, 'prob');
  near(becomes, outputs.alias.data, 0, 'alias');
}

export default [{ pattern: /^losses\/alias_method\.json$/, check }] satisfies readonly Checker[];
