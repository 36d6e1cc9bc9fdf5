/**
 * Runs the commands of a page of the documentation that stand in a block marked `sh try`, in order, so that the page stays
 * true: `npx tsx scripts/try-page.ts docs/from-raw-data-to-tables.md`. What they write to `try/` goes to a temporary folder.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [page = ''] = process.argv.slice(2);
const blocks = [...readFileSync(page, 'utf8').matchAll(/^```sh try\n(.*?)^```/gms)].map(([, block = '']) => block);
const commands = blocks.flatMap((block) => block.trim().split('\n'));
const folder = mkdtempSync(join(tmpdir(), 'groundray-try-'));
let failed = commands.length === 0;
if (failed) console.error(`${page} has no block that begins with \`\`\`sh try.`);
for (const command of commands) {
  console.log(`$ ${command}`);
  const { status, stdout, stderr } = spawnSync('bash', ['-euc', command.replaceAll('try/', `${folder}/`)], {
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (status === 0) continue;
  console.error(`${stdout}${stderr}\nThis command of ${page} ended with exit code ${status}.`);
  failed = true;
  break;
}
rmSync(folder, { recursive: true });
if (failed) process.exit(1);
