import type { Setting } from '../setting/setting.js';
import type { Catalogue, Described, OutcomeView, StaircaseView, StepView } from './view.js';

// What page and worker say to each other.

/** From the page. */
export type Request =
  /** First of all: the shipped files, as `build` packed them. */
  | { readonly kind: 'open'; readonly files: ArrayBuffer }
  | { readonly kind: 'describe'; readonly id: number; readonly setting: unknown }
  /** How long a step takes by its rows, on the machine of a setting. */
  | { readonly kind: 'staircase'; readonly id: number; readonly setting: Setting }
  | { readonly kind: 'decode'; readonly id: number; readonly setting: Setting }
  | { readonly kind: 'cancel'; readonly id: number };

/** From the worker. Every request but `cancel` is answered, with what it asked for or `failed`. */
export type Reply =
  | { readonly kind: 'ready'; readonly catalogue: Catalogue }
  | { readonly kind: 'described'; readonly id: number; readonly described: Described }
  | { readonly kind: 'staircase'; readonly id: number; readonly staircase: StaircaseView }
  | { readonly kind: 'step'; readonly id: number; readonly step: StepView }
  | { readonly kind: 'done'; readonly id: number; readonly outcome: OutcomeView }
  /** `cancelled`: nobody waits for it any more. */
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly cancelled: boolean };
