import type { Box, GrayImage } from '../data/types.ts';
import { describePresence, formatSimilarity, type PhraseFinding } from '../eval/finding.ts';

/** A finding in words for a terminal. */
export function findingLines(finding: PhraseFinding, image: GrayImage, threshold: number): string[] {
  const { phrase, similarity, presence, peak, regions, area } = finding;
  const [first, ...others] = regions;
  const more = others.length === 0 ? '' : `, and ${others.length} more ${others.length === 1 ? 'region' : 'regions'}`;
  const share = `${(100 * area).toFixed(1)} % of the image`;
  return [
    `"${phrase}"`,
    `  similarity  ${formatSimilarity(similarity.max, 3)} at most, ${formatSimilarity(similarity.mean, 3)} on average`,
    `  presence    ${describePresence(presence)}`,
    `  peak        x ${peak.x}, y ${peak.y} of ${image.width} x ${image.height} pixels`,
    first
      ? `  over ${threshold}  ${describeBox(first.box)}${more}; ${share}`
      : `  over ${threshold}  nothing: no part of the map is above this threshold`,
  ];
}

function describeBox({ x, y, width, height }: Box): string {
  return `x ${x} to ${x + width}, y ${y} to ${y + height}`;
}
