/**
 * Models are described, then run. A trunk or a head is a tree of layers that are plain data: from this one description
 * come shapes, parameter names and initial values, counts, FLOPs, the drawing, and the forward pass.
 *
 * Names: a parameter's full name is the path of layer names joined by dots, then weight, bias, running_mean, … —
 * PyTorch's state-dict names. An unnamed layer adds nothing to the path.
 * Layouts: shapes here are NHWC; the stored layouts are those of runtime/tensor (HWIO, [in, out]).
 */

export type Pair = readonly [number, number];

export interface Conv2d {
  readonly op: 'conv2d';
  readonly name?: string;
  readonly in: number;
  readonly out: number;
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
  /** default true */
  readonly bias?: boolean;
  readonly init?: Init;
  /** initial bias where it is not PyTorch's */
  readonly biasInit?: Init;
  /** default true; false: never trained (a fixed filter) */
  readonly trainable?: boolean;
}

/** On features [N, in], or on each token of [N, T, in]. */
export interface Linear {
  readonly op: 'linear';
  readonly name?: string;
  readonly in: number;
  readonly out: number;
  /** default true */
  readonly bias?: boolean;
  readonly init?: Init;
  /** initial bias where it is not PyTorch's */
  readonly biasInit?: Init;
  /** the weight of each output is scaled to length 1: parameters weight_v (learned) and weight_g (fixed at 1); default false */
  readonly weightNorm?: boolean;
}

/** Over the last axis: BatchNorm2d on maps, BatchNorm1d on features. */
export interface BatchNorm {
  readonly op: 'batch_norm';
  readonly name?: string;
  readonly features: number;
  /** default 1e-5 */
  readonly eps?: number;
  /** default 0.1 */
  readonly momentum?: number;
  /** default true: learned weight and bias */
  readonly affine?: boolean;
  /** initial weight; default 1 */
  readonly weight?: number;
}

/** GroupNorm with one group over a map (VISSL's LayerNorm2d). */
export interface LayerNorm2d {
  readonly op: 'layer_norm_2d';
  readonly name?: string;
  readonly features: number;
  readonly eps?: number;
  /** GroupNorm: groups of channels that are normalised on their own; default 1 */
  readonly groups?: number;
  /** initial weight; default 1 */
  readonly weight?: number;
}

/** Over the last axis, each vector on its own. Ba et al. 2016, arXiv:1607.06450. */
export interface LayerNorm {
  readonly op: 'layer_norm';
  readonly name?: string;
  readonly features: number;
  /** default 1e-5 */
  readonly eps?: number;
}

/**
 * A map [N, H, W, C] as tokens [N, (1 +) H·W, C], rows first, with learned positions added: parameters pos_embed and,
 * with a class token in front, cls_token. A map of another size than rows × columns gets positions interpolated
 * (bicubic, as PyTorch does).
 */
export interface Tokens {
  readonly op: 'tokens';
  readonly name?: string;
  readonly features: number;
  readonly rows: number;
  readonly columns: number;
  readonly classToken: boolean;
  /** standard deviation of the initial values */
  readonly std: number;
}

/** softmax(q·kᵀ / √(D / heads))·v in each head; tokens [N, T, 3·D], q, k and v one after another, → [N, T, D]. */
export interface SelfAttention {
  readonly op: 'self_attention';
  readonly name?: string;
  readonly heads: number;
}

/** Tokens [N, T, D] → [N, D]: the first one, or the mean of all. */
export interface PoolTokens {
  readonly op: 'first_token' | 'mean_token';
  readonly name?: string;
}

/** x / (k + alpha / size · Σ x²)^beta, the sum over `size` neighbouring channels. Krizhevsky et al. 2012. */
export interface LocalResponseNorm {
  readonly op: 'local_response_norm';
  readonly name?: string;
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

/** Channels picked by position: [2, 1, 0] turns RGB to BGR, [0] keeps the L of Lab. */
export interface SelectChannels {
  readonly op: 'select_channels';
  readonly name?: string;
  readonly channels: readonly number[];
}

export interface Activation {
  readonly op: 'relu' | 'sigmoid' | 'swish' | 'gelu' | 'tanh';
  readonly name?: string;
}

export interface Pool {
  readonly op: 'max_pool' | 'avg_pool';
  readonly name?: string;
  readonly kernel: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly ceil?: boolean;
}

export interface AdaptivePool {
  readonly op: 'adaptive_avg_pool' | 'adaptive_max_pool';
  readonly name?: string;
  readonly size: Pair;
}

/** [N, …] → [N, rest]; PyTorch's order: channels first, then rows, columns. */
export interface Flatten {
  readonly op: 'flatten';
  readonly name?: string;
}

export interface Dropout {
  readonly op: 'dropout';
  readonly name?: string;
  /** share set to zero in training; default 0.5 */
  readonly p?: number;
}

/** x / max(|x|₂, 1e-12) along the last axis. */
export interface L2Normalize {
  readonly op: 'l2_normalize';
  readonly name?: string;
}

export interface Identity {
  readonly op: 'identity';
  readonly name?: string;
}

export interface Sequence {
  readonly op: 'sequence';
  readonly name?: string;
  readonly layers: readonly Layer[];
}

/** activation(main(x) + (shortcut(x) or x)). `names`: the shortcut's layers carry their own names. */
export interface Residual {
  readonly op: 'residual';
  readonly name?: string;
  readonly main: Layer;
  readonly shortcut?: Layer;
  /** default relu */
  readonly activation?: 'relu' | 'none';
  /** probability that the main branch of an image is left out in training, the others scaled up; default 0 */
  readonly dropPath?: number;
  /** tells two residuals of one path apart when images are drawn */
  readonly dropName?: string;
}

/** x · gate(x), broadcast over rows and columns: squeeze-and-excitation. */
export interface Gate {
  readonly op: 'gate';
  readonly name?: string;
  readonly gate: Layer;
}

export type Layer =
  | Conv2d
  | Linear
  | BatchNorm
  | LayerNorm2d
  | LayerNorm
  | Tokens
  | SelfAttention
  | PoolTokens
  | LocalResponseNorm
  | SelectChannels
  | Activation
  | Pool
  | AdaptivePool
  | Flatten
  | Dropout
  | L2Normalize
  | Identity
  | Sequence
  | Residual
  | Gate;

/** Initial values. `pytorch` is what nn.Conv2d and nn.Linear do: uniform(±1/√fan_in) for weight and bias. */
export type Init =
  | { readonly kind: 'pytorch' /** all values times this */; readonly scale?: number }
  | { readonly kind: 'kaiming_normal'; readonly fan: 'in' | 'out' }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'constant'; readonly value: number }
  /** every value, in PyTorch's layout (convolution [out, in / groups, rows, columns]) */
  | { readonly kind: 'values'; readonly values: readonly number[] };

/** One stage of a model; stages run in order and each may be an output. */
export interface Stage {
  /** joins the parameter path; '' adds nothing */
  readonly name: string;
  readonly layer: Layer;
}

/** What an output port reads: a stage's result, or that result passed through one more layer. */
export interface OutputSpec {
  readonly stage: string;
  readonly layer?: Layer;
}

/**
 * A whole model: stages run one after another; `outputs` names what can be read from them. An output that nobody asks
 * for is not computed, nor are the stages behind the last one asked for.
 */
export interface ModelSpec {
  /** before every parameter name of the stages, e.g. "_feature_blocks" */
  readonly prefix?: string;
  /** default false; true: nothing is trained, normalisation uses its running statistics, dropout passes on */
  readonly frozen?: boolean;
  readonly stages: readonly Stage[];
  /** output port → one value, or a list of values (scores of several prototype sets) */
  readonly outputs: Readonly<Record<string, OutputSpec | readonly OutputSpec[]>>;
  /** output port of kind weights → full parameter names, handed out by reference */
  readonly weights?: Readonly<Record<string, readonly string[]>>;
}
