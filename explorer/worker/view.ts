import type { StepBreakdown } from '../../sim/machine/machine.js';
import type { Track } from '../../sim/machine/timeline.js';
import type { TokenState, TransitionReason } from '../../src/decode/canvas/types.js';
import type { StepCounters } from '../../src/decode/method/timer.js';
import type { PassKind } from '../../src/pass/pass.js';
import type { Control } from '../setting/controls.js';
import type { Setting } from '../setting/setting.js';

// What the worker tells the page: plain data that a structured clone carries.

/** A token that the model could have taken, with its probability. */
export interface Alternative {
  readonly token: number;
  readonly probability: number;
}

/** One position of the answer after a step. */
export interface PositionView {
  readonly state: TokenState;
  /** The mask while nothing is decided. */
  readonly token: number;
  /** 0 to 1 for probabilities; when it was last scored. */
  readonly confidence: number;
  readonly draft: { readonly token: number; readonly confidence: number } | null;
  /** What this step did to it; null where it left it. */
  readonly change: TransitionReason | null;
  /** Whether the main pass of the step computed a row for it. */
  readonly computed: boolean;
  /** The best tokens of the step's logits for it, best first; empty where it got none. */
  readonly alternatives: readonly Alternative[];
}

/** A stretch of time of one part of the machine, in ms since the step began. */
export interface SpanView {
  readonly startMs: number;
  readonly endMs: number;
  /** What it did: operator or work of the driver. */
  readonly what: string;
}

/** A part of the machine during a step. */
export interface LaneView {
  readonly track: Track;
  /** Busy share of each of equal slices of the step, 0 to 1. */
  readonly busy: readonly number[];
  /** Spans of the layer in the middle of the model. */
  readonly layer: readonly SpanView[];
}

/** The same step on the machine. */
export interface MachineView {
  /** Simulated ms since the decode began. */
  readonly startMs: number;
  readonly ms: number;
  readonly breakdown: StepBreakdown;
  readonly counters: StepCounters;
  /** Energy above idle, in J; every number in it is assumed, `range` is with all of them at either end. */
  readonly joules: number;
  readonly joulesRange: readonly [number, number];
  readonly lanes: readonly LaneView[];
  /** When the middle layer ran, in ms since the step began; null for a step without layers on the NPU. */
  readonly layer: { readonly index: number; readonly startMs: number; readonly endMs: number } | null;
}

/** What the rows of a main pass are for; they add up to its rows. */
export interface RowsView {
  readonly prompt: number;
  /** Blocks that are finished. */
  readonly earlier: number;
  readonly block: number;
  /** Lookahead: positions of blocks to come. */
  readonly ahead: number;
  /** Further rows of positions that have one: guesses of exact speculation, shadows, guidance. */
  readonly guesses: number;
}

/** One step of a decode. */
export interface StepView {
  /** From 0. */
  readonly index: number;
  /** Current block, from 0. */
  readonly block: number;
  readonly kind: PassKind;
  /** Rows of the main pass, those that get logits, and rows of passes beside it on the CPU. */
  readonly rows: number;
  readonly rowsOf: RowsView;
  readonly logitsRows: number;
  readonly sideRows: number;
  /** The answer. */
  readonly positions: readonly PositionView[];
  readonly machine: MachineView;
}

/** A finished decode. */
export interface OutcomeView {
  readonly text: string;
  readonly tokens: readonly number[];
  /** Forward passes on the main path. */
  readonly forwards: number;
  readonly tokensPerForward: number;
  /** Simulated s. */
  readonly seconds: number;
  /** Energy above idle in J, with its range. */
  readonly joules: number;
  readonly joulesRange: readonly [number, number];
  /** Whether it answers the problem; null for a text of one's own. */
  readonly right: boolean | null;
  readonly machine: string;
  /** The address window as the decode left it; null where it is no limit. */
  readonly memory: MemoryView | null;
  /** The decode as a trace, JSON Lines. */
  readonly trace: string;
  /** Wall-clock ms that it took here, machine included. */
  readonly wallMs: number;
}

/** What the NPU can address, and what it cannot, in bytes. */
export interface MemoryView {
  readonly windowBytes: number;
  /** In the window: weights, caches, activations and staging slots. */
  readonly mappedBytes: number;
  /** Weights that are copied through the slots in every pass. */
  readonly stagedBytes: number;
  /** Weights that are mapped when an operator needs them, in place of others. */
  readonly absentBytes: number;
}

/** A number of chip or software, with the interval in which it may be set. */
export interface NumberView {
  /** `profile.npu.dmaRate`. */
  readonly name: string;
  /** With its unit. */
  readonly text: string;
  readonly value: number;
  /** Of `value`; empty for counts. */
  readonly unit: string;
  readonly range: readonly [number, number] | null;
  readonly kind: string;
  readonly source: string;
}

/** A name with what it is. */
export interface Named {
  readonly name: string;
  readonly about: string;
}

/** Everything that can be chosen. */
export interface Catalogue {
  readonly policies: readonly Named[];
  readonly models: readonly string[];
  readonly quants: readonly string[];
  readonly chips: readonly Named[];
  readonly stacks: readonly Named[];
  readonly memories: readonly Named[];
  readonly placements: readonly string[];
  /** Text of every token id. */
  readonly vocabulary: readonly string[];
  readonly maskId: number;
  readonly endIds: readonly number[];
}

/** A setting, with the fields that its policy and chip have. */
export interface Described {
  readonly setting: Setting;
  /** What is asked. */
  readonly prompt: string;
  readonly controls: readonly Control[];
  readonly numbers: readonly NumberView[];
  /** The line that runs the same. */
  readonly command: string;
  /** What a link to it holds. */
  readonly link: unknown;
  /** Rows that the matrix unit computes at a time. */
  readonly tileRows: number;
  /** Bytes that the NPU can address at a time. */
  readonly windowBytes: number;
}

/** How long a denoising step takes by its rows. */
export interface StaircaseView {
  /** Cached positions that the rows attend to. */
  readonly context: number;
  readonly points: readonly {
    readonly rows: number;
    /** Every row gets logits, as in an ordinary step. */
    readonly allLogitsMs: number;
    /** One row does: nearly all of it is the NPU. */
    readonly oneLogitsMs: number;
  }[];
}
