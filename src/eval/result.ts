import type { Estimate, GroupSummary, PhraseScore, Summary } from './aggregate.ts';
import type { MatchingResult } from './evaluateMatching.ts';
import type { RescalePreset } from './maps.ts';
import type { PeerResult } from './peerResults.ts';
import type { NegationProbe, SideSwapProbe } from './probes.ts';

/** What `evaluateGrounding` measured. Plain data: it can be stored as JSON (NaN then becomes null). */
export interface GroundingResult {
  readonly kind: 'groundray-grounding';
  readonly notice: string;
  readonly dataset: string;
  readonly model: string;
  readonly protocol: Protocol;
  readonly counts: Counts;
  readonly presets: readonly PresetResult[];
  /** Similarity of denied findings; independent of the preset. */
  readonly negation?: NegationProbe | undefined;
  /** By the peers' protocols; over all classes, also those that training never showed. */
  readonly peers?: readonly PeerResult[] | undefined;
  /** Classification, retrieval and the decision between present and absent (see `evaluateMatching`). */
  readonly matching?: MatchingResult | undefined;
}

export interface Protocol {
  readonly thresholds: readonly number[];
  /** Gaussian on the similarity grid, in cells. */
  readonly sigma: number;
  readonly radius: number;
  /** Cells of the model's grid. */
  readonly grid: { readonly width: number; readonly height: number };
  /** Longest side, in pixels, that masks are compared at. */
  readonly evaluationSide: number;
  readonly resamples: number;
  readonly seed: number;
}

export interface Counts {
  readonly images: number;
  readonly phrases: number;
  /** Phrases left out because nothing is marked in their mask. */
  readonly emptyGroundTruth: number;
  readonly validationPhrases: number;
  readonly classes: Readonly<Record<string, number>>;
  /** Classes without a phrase in the training split; not part of the overall means. */
  readonly unseenClasses: readonly string[];
  /** Largest area of small and of medium regions, as a share of the image. */
  readonly sizeLimits: readonly [number, number];
}

export interface PresetResult {
  readonly preset: RescalePreset;
  /** The model first, then models it is compared with (see `withComparison`), then the location priors. */
  readonly methods: readonly MethodResult[];
  /** Model minus another method over the overall classes, paired. */
  readonly differences: readonly { readonly prior: string; readonly iou: Estimate; readonly dice: Estimate }[];
  readonly sideSwap?: SideSwapProbe | undefined;
}

export interface MethodResult {
  readonly name: string;
  readonly kind: 'model' | 'comparison' | 'prior';
  readonly description: string;
  /** Threshold with the best IoU on the validation phrases, on the scale of the preset. */
  readonly bestThreshold?: number | undefined;
  /** Over the classes that training showed (over all where that is not known). */
  readonly overall: GroupSummary;
  /** Per value of an attribute of the phrases, and per third of the area (`area`). */
  readonly subgroups: readonly Subgroup[];
  /** Over the classes that training never showed. */
  readonly unseen?: { readonly overall: GroupSummary; readonly subgroups: readonly Subgroup[] } | undefined;
  readonly rows: readonly PhraseScore[];
}

export interface Subgroup {
  readonly attribute: string;
  readonly value: string;
  readonly phrases: number;
  /** Means over phrases. */
  readonly summary: Summary;
}
