import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import envPaths from 'env-paths';
import { extract } from 'tar-stream';

const vulkanLoader = 'libvulkan.so.1';
const driverManifest = 'vk_swiftshader_icd.json';
const wanted = [vulkanLoader, driverManifest, 'libvk_swiftshader.so'];

/** `RTLD_NODELETE`, which `os.constants.dlopen` does not list. */
const keepLoaded = 0x1000;

async function unpack(archive: string, folder: string): Promise<void> {
  const tar = await promisify(brotliDecompress)(await readFile(archive));
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    if (wanted.includes(entry.header.name)) writeFileSync(join(folder, entry.header.name), Buffer.concat(chunks));
  }
}

/** Folder with the SwiftShader driver, unpacked once per package version; undefined where the package is absent. */
async function swiftShaderFolder(): Promise<string | undefined> {
  const require = createRequire(import.meta.url);
  let packageFolder: string;
  try {
    packageFolder = dirname(require.resolve('@sparticuz/chromium/package.json'));
  } catch {
    try {
      packageFolder = join(dirname(require.resolve('@sparticuz/chromium')), '..', '..');
    } catch {
      return undefined;
    }
  }
  const archive = join(packageFolder, 'bin', 'swiftshader.tar.br');
  if (!existsSync(archive)) return undefined;
  const cache = envPaths('groundray', { suffix: '' }).cache;
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const folder = join(cache, `swiftshader-${version}`);
  if (wanted.every((name) => existsSync(join(folder, name)))) return folder;
  mkdirSync(cache, { recursive: true });
  const temporary = mkdtempSync(join(cache, 'unpack-'));
  await unpack(archive, temporary);
  try {
    renameSync(temporary, folder);
  } catch {
    // Another process was faster; its copy is the same.
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** False where the system has no Vulkan loader: it then has no driver either, and Dawn would complain on the terminal. */
export function hasVulkanLoader(): boolean {
  if (process.platform !== 'linux') return true;
  try {
    process.dlopen({ exports: {} }, vulkanLoader, constants.dlopen.RTLD_LAZY);
    return true;
  } catch (error) {
    // A library that is there is no add-on of Node's, which is another error.
    return !String(error).includes('cannot open shared object file');
  }
}

/**
 * Makes the Vulkan loader of this process use SwiftShader. Has to run on the main thread before Dawn's instance exists.
 * @returns false where this platform or installation has no SwiftShader package.
 */
export async function useSwiftShader(): Promise<boolean> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const folder = await swiftShaderFolder();
  if (!folder) return false;
  const manifest = join(folder, driverManifest);
  process.env.VK_DRIVER_FILES = manifest;
  process.env.VK_ICD_FILENAMES = manifest;
  try {
    // Throws "did not self-register", but the library stays mapped and Dawn finds it by its name.
    process.dlopen({ exports: {} }, join(folder, vulkanLoader), constants.dlopen.RTLD_NOW | keepLoaded);
  } catch {}
  return true;
}
