/** Fill and line by role. */
import type { Role } from '../node-type.ts';

export interface Color {
  readonly fill: string;
  readonly line: string;
}

const BLUE: Color = { fill: '#e6f0fb', line: '#3b73af' };
const TEAL: Color = { fill: '#e3f4f1', line: '#2c8577' };
const GREEN: Color = { fill: '#e8f3e2', line: '#4f8a33' };
const VIOLET: Color = { fill: '#efe9fa', line: '#6f4fb0' };
const GRAY: Color = { fill: '#eef0f2', line: '#5f6b76' };
const AMBER: Color = { fill: '#fdf3dc', line: '#b07d1a' };
const RED: Color = { fill: '#fbe7e6', line: '#b8433c' };
const ORANGE: Color = { fill: '#fdebdd', line: '#c0651d' };

export const COLORS: Readonly<Record<Role, Color>> = {
  dataset: BLUE,
  transform: TEAL,
  collator: GREEN,
  model: VIOLET,
  compute: GRAY,
  target: AMBER,
  loss: RED,
  optimizer: ORANGE,
  bank: AMBER,
  meter: AMBER,
  artifact: AMBER,
  evaluator: BLUE,
  hook: GRAY,
  step: GRAY,
  schedule: GRAY,
};

/** of nodes that nothing needs */
export const IDLE: Color = { fill: '#f7f7f7', line: '#b5b5b5' };
