import type { Estimate } from './aggregate.ts';
import type { RescalePreset } from './maps.ts';
import { formatNumber } from './report-notes.ts';

/** A table of a report, the same for Markdown and HTML. */
export interface ReportTable {
  readonly title: string;
  readonly note: string;
  readonly header: readonly string[];
  readonly rows: readonly ReportRow[];
  /** Long tables that a page may fold. */
  readonly folded?: boolean;
}

export interface ReportRow {
  readonly cells: readonly Cell[];
  /** The model's row among the baselines. */
  readonly emphasis?: boolean;
}

export interface Cell {
  readonly text: string;
  /** 95 % interval. */
  readonly interval?: string | undefined;
}

export interface ReportSection {
  readonly title: string;
  readonly note: string;
  readonly preset?: RescalePreset;
  readonly tables: readonly ReportTable[];
}

/** A figure, with its interval where that is wanted and known. */
export function estimated({ value, low, high }: Estimate, withInterval = false): Cell {
  const known = withInterval && Number.isFinite(low) && Number.isFinite(high);
  return { text: formatNumber(value), interval: known ? `${formatNumber(low)} to ${formatNumber(high)}` : undefined };
}

export const text = (value: string | number): Cell => ({ text: String(value) });
