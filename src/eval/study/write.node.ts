import { join } from 'node:path';
import { writeFileAtomic, writeJsonAtomic } from '../../io/atomic.node.ts';
import { studySvg } from './charts.node.ts';
import { type Provenance, renderStudy } from './report.ts';
import type { StudyResult } from './result.ts';

/**
 * Writes `study.svg`, `study.json` and `study.md` into the folder of a study.
 *
 * @returns Path of the Markdown page.
 */
export async function writeStudy(folder: string, result: StudyResult, provenance: Provenance): Promise<string> {
  await writeFileAtomic(join(folder, 'study.svg'), studySvg(result));
  await writeJsonAtomic(join(folder, 'study.json'), { ...result, provenance });
  const page = join(folder, 'study.md');
  await writeFileAtomic(page, renderStudy(result, provenance, 'study.svg'));
  return page;
}
