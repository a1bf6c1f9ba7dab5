import {
  fromClassyVision,
  toClassyVision,
  toDetectron2,
  toTorchvision,
} from '../../../runtime/train/state-dict-names.ts';
import type { Checker } from '../checker.ts';
import { same } from '../compare.ts';
import type { OracleCase } from '../oracle-file.ts';

type Pairs = readonly (readonly [string, string])[];

/** Names that have one in the other project, with it. */
const pairs = (names: readonly string[], rename: (name: string) => string | undefined): [string, string][] =>
  names.flatMap((name) => {
    const other = rename(name);
    return other === undefined ? [] : [[name, other] as [string, string]];
  });

function check({ inputs, outputs }: OracleCase): void {
  const names = inputs.keys as readonly string[];
  same(pairs(names, toTorchvision), outputs.torchvision, 'torchvision');
  // in the reference the order is that of the sorted names
  same(pairs(names.toSorted(), toDetectron2), outputs.detectron2, 'Detectron2');
  same(
    names.filter((name) => toDetectron2(name) === undefined).toSorted(),
    [...outputs.detectron2_skipped].sort(),
    'skipped',
  );
  if (!outputs.classy_vision) return;
  same(pairs(names, toClassyVision), outputs.classy_vision, 'ClassyVision');
  const back = outputs.classy_vision_back_to_vissl as Pairs;
  const classy = (outputs.classy_vision as Pairs).map(([, name]) => name);
  same(pairs(classy, fromClassyVision).sort(), [...back].sort() as [string, string][], 'back');
}

export default [{ pattern: /^checkpoints\/name_conversion\.json$/, check }] satisfies readonly Checker[];
