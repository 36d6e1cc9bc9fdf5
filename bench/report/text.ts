import type { Measured } from '../measure/statistics.ts';

/** A number with three significant digits, without exponents: `0.0123`, `4.56`, `1,230`; small whole ones as they are. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1000) return String(value);
  const digits = Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.abs(value)))));
  if (digits > 0) return value.toFixed(digits);
  return Math.round(Number(value.toPrecision(3))).toLocaleString('en-US');
}

export function percent(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %` : '–';
}

/** `12.3 ± 4 %` */
export function withSpread({ median, spread }: Measured): string {
  return `${short(median)} ±${(100 * spread).toFixed(0).padStart(2)} %`;
}

/** `1.50 GiB` */
export function byteSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${short(bytes / 1024 ** power)} ${units[power]}`;
}

/** Cells in aligned columns; the first column is aligned to the left, the others to the right. */
export function alignColumns(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [line(header), rule, ...rows.map(line)].join('\n');
}
