/** What the page asks of the worker. */
export type Request =
  | { readonly kind: 'start'; readonly steps: number; readonly batchSize: number; readonly seed: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'stop' }
  /** The page has shown the last progress, and wants the next. */
  | { readonly kind: 'shown' };

export interface Point {
  readonly step: number;
  readonly loss: number;
  /** Share of images whose own report is the most similar one. */
  readonly accuracy: number;
}

/** What the worker tells. */
export type Reply =
  | { readonly kind: 'ready'; readonly adapter: string; readonly parameters: number }
  /** All points since the last message: however fast the worker is, the page gets one message at a time. */
  | { readonly kind: 'progress'; readonly points: readonly Point[]; readonly imagesPerSecond: number }
  | { readonly kind: 'paused'; readonly step: number }
  | { readonly kind: 'ended'; readonly step: number; readonly stopped: boolean }
  | { readonly kind: 'failed'; readonly message: string };
