import { join } from 'node:path';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { encodePng } from '../io/png.node.ts';
import { type GroundingExample, renderExample } from './examples.ts';
import { renderJson, renderMarkdown } from './report.ts';
import { renderHtml } from './report-html.node.ts';
import type { GroundingResult } from './result.ts';

/**
 * Writes `grounding.json`, `grounding.md`, `grounding.html` and the examples as captioned PNGs (`example-01.png`, ...)
 * into a folder, which is created when missing.
 *
 * @param name Of the three files, without the ending. Default "grounding".
 * @returns Paths of the files, in this order.
 */
export async function writeReport(
  folder: string,
  result: GroundingResult,
  examples: readonly GroundingExample[] = [],
  name = 'grounding',
): Promise<string[]> {
  const files: [string, string | Uint8Array][] = [
    [`${name}.json`, renderJson(result)],
    [`${name}.md`, renderMarkdown(result)],
    [`${name}.html`, renderHtml(result, examples)],
    ...examples.map((example, i): [string, Uint8Array] => {
      const caption = `${example.phrase} (${example.category}, IoU ${example.iou.toFixed(2)})`;
      return [`example-${String(i + 1).padStart(2, '0')}.png`, encodePng(renderExample(example, { caption }))];
    }),
  ];
  for (const [file, content] of files) await writeFileAtomic(join(folder, file), content);
  return files.map(([file]) => join(folder, file));
}
