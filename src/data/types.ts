/** A grey image with values from 0 (black) to 1 (white). */
export interface GrayImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, row-major. */
  readonly data: Float32Array;
}

/** A binary mask in the frame of its image; 1 marks the region. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, row-major, 0 or 1. */
  readonly data: Uint8Array;
}

/** A box in pixels of the image it belongs to. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Which part of a dataset a study belongs to; patients are kept whole. */
export type Split = 'train' | 'validation' | 'test';

/** One image with its report. */
export interface Study {
  readonly id: string;
  readonly patientId: string;
  readonly split: Split;
  /** Text as its source gives it; `selectReportText` chooses the sections that are read. */
  readonly report: string;
}

/** A phrase and the region of the study's image that it names. Used for evaluation only, never in training. */
export interface GroundedPhrase {
  readonly studyId: string;
  /** Of the image, where it has no report and is therefore no study. Absent: that of the study. */
  readonly split?: Split;
  readonly phrase: string;
  /** The report's sentence with the phrase, where it is known. */
  readonly sentence?: string;
  /** Class of the finding, e.g. `pleural effusion`; tables are averaged over it. */
  readonly category: string;
  /** Free attributes for sub-tables and oracle baselines, e.g. `side`, `zone`, `size`, `agreement`. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Decodes or draws the region, in the size of the image. @throws DataError if it cannot be read. */
  readonly loadMask: () => Promise<Mask>;
}

/** A study that was left out when the data set was built, and why. */
export interface DroppedStudy {
  readonly studyId: string;
  /** E.g. `the report has no sentence`. */
  readonly reason: string;
}

/** Images, reports and (optionally) grounded phrases, whatever they are read from. */
export interface Dataset {
  readonly name: string;
  /** Studies that were left out, to be counted and listed. Absent where none could be. */
  readonly dropped?: readonly DroppedStudy[];
  readonly studies: readonly Study[];
  readonly phrases: readonly GroundedPhrase[];
  /**
   * Whether the phrases name every finding of every study, so that a class without a phrase is known to be absent.
   * Default false: then only studies with phrases tell anything.
   */
  readonly phrasesAreComplete?: boolean;
  /** Decodes an image of a study. @throws DataError if it cannot be read. */
  readonly loadImage: (studyId: string) => Promise<GrayImage>;
}

/** One training batch on the host. `B` studies, `S` tokens, `H`x`W` pixels. */
export interface Batch {
  readonly studyIds: readonly string[];
  /** `[B, H, W]`, normalised to (x - 0.5) / 0.5. */
  readonly images: Float32Array;
  readonly imageSize: number;
  /** `[B, S]` WordPiece ids, padded with the tokenizer's pad id. */
  readonly inputIds: Int32Array;
  /** `[B, S]`, 1 on real tokens. */
  readonly attentionMask: Int32Array;
  /** `[B, S]`, index of the token's sentence within its report, -1 outside every sentence. */
  readonly sentenceIds: Int32Array;
  /** `[B, S]`, index of the token's word within its report, -1 outside every word. */
  readonly wordIds: Int32Array;
  readonly tokens: number;
  /** Largest number of sentences (words) of any report in the batch. */
  readonly maxSentences: number;
  readonly maxWords: number;
  /** `[B]`, equal numbers mark reports with the same normalised text. */
  readonly reportKeys: Int32Array;
}
