import type { SelectChannels } from '../../graph/model/layers.ts';
import { T } from '../../runtime/node.ts';

/** The param that says what the three channels of the images are to the trunk. */
export const inputType = T.Union([T.Literal('rgb'), T.Literal('bgr'), T.Literal('lab')], {
  default: 'rgb',
  description: 'rgb: as they come; bgr: reversed; lab: the first channel alone (L of Lab)',
});

export type InputType = 'rgb' | 'bgr' | 'lab';

/** The layer that makes of [N, H, W, 3] what the first convolution sees, and its number of channels. */
export function inputChannels(type: InputType): { readonly layer?: SelectChannels; readonly channels: number } {
  if (type === 'bgr') return { layer: { op: 'select_channels', channels: [2, 1, 0] }, channels: 3 };
  if (type === 'lab') return { layer: { op: 'select_channels', channels: [0] }, channels: 1 };
  return { channels: 3 };
}
