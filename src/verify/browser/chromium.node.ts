import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import envPaths from 'env-paths';
import { extract } from 'tar-stream';
import { FixtureError } from '../errors.ts';

export interface ChromiumInstallation {
  readonly executablePath: string;
  /** Folders to put in front of LD_LIBRARY_PATH. */
  readonly libraryFolders: readonly string[];
}

/** Browser and NSS libraries of the package @sparticuz/chromium; undefined where it is not installed. */
function packageFolder(): { readonly bin: string; readonly version: string } | undefined {
  try {
    const root = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..', '..');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { bin: join(root, 'bin'), version };
  } catch {
    return undefined;
  }
}

/** Unpacks the files of a brotli-compressed tar archive, without its folders. */
async function unpackFiles(archive: string, folder: string): Promise<void> {
  const reader = extract();
  const unpacked = pipeline(createReadStream(archive), createBrotliDecompress(), reader);
  for await (const entry of reader) {
    if (entry.header.type === 'file')
      await pipeline(entry, createWriteStream(join(folder, basename(entry.header.name))));
    else entry.resume();
  }
  await unpacked;
}

/** Unpacks browser and libraries once per version into the cache; another process may do the same at the same time. */
async function unpackChromium(bin: string, version: string): Promise<string> {
  const cache = envPaths('groundray', { suffix: '' }).cache;
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(join(folder, 'chromium'))) return folder;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, 'unpack-'));
  try {
    mkdirSync(join(temporary, 'lib'));
    await unpackFiles(join(bin, 'al2023.tar.br'), join(temporary, 'lib'));
    // Chromium looks for its Vulkan loader and for SwiftShader beside itself.
    await unpackFiles(join(bin, 'swiftshader.tar.br'), temporary);
    const executable = join(temporary, 'chromium');
    await pipeline(createReadStream(join(bin, 'chromium.br')), createBrotliDecompress(), createWriteStream(executable));
    chmodSync(executable, 0o755);
    renameSync(temporary, folder);
  } catch (cause) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(join(folder, 'chromium'))) throw cause;
  }
  return folder;
}

/**
 * The Chromium to use: `$GROUNDRAY_CHROMIUM`, or else that of the package @sparticuz/chromium.
 * @throws FixtureError if there is none.
 */
export async function findChromium(): Promise<ChromiumInstallation> {
  const chosen = process.env.GROUNDRAY_CHROMIUM;
  if (chosen) {
    if (!existsSync(chosen)) throw new FixtureError(`GROUNDRAY_CHROMIUM is "${chosen}", but there is no such file.`);
    return { executablePath: chosen, libraryFolders: [] };
  }
  const found = process.platform === 'linux' && process.arch === 'x64' ? packageFolder() : undefined;
  if (!found) {
    throw new FixtureError(
      'No Chromium was found: install the optional package @sparticuz/chromium (Linux x64), or set GROUNDRAY_CHROMIUM to the path of a Chrome or Chromium.',
    );
  }
  const folder = await unpackChromium(found.bin, found.version);
  return { executablePath: join(folder, 'chromium'), libraryFolders: [join(folder, 'lib')] };
}
