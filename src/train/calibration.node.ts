import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PRESENCE_KEY, type PresenceCalibration, parseCalibration } from '../eval/presence.ts';
import { changeMetadata, readMetadata } from '../io/safetensorsMetadata.node.ts';
import { checkpointPath } from './checkpoint.node.ts';
import { progressOf } from './checkpoint.ts';

/**
 * Puts the threshold between "present" and "absent" into the metadata of the run's checkpoint and of its exported model:
 * it holds for these weights, and the next checkpoint of a training that goes on has none.
 *
 * @returns False, with nothing written, when the checkpoint has moved on from the weights that were calibrated.
 */
export async function storeCalibration(folder: string, calibration: PresenceCalibration): Promise<boolean> {
  const checkpoint = checkpointPath(folder);
  if (progressOf(await readMetadata(checkpoint))?.step !== calibration.step) return false;
  const text = JSON.stringify(calibration);
  await changeMetadata(checkpoint, { [PRESENCE_KEY]: text });
  const exported = join(folder, 'model.safetensors');
  if (existsSync(exported)) await changeMetadata(exported, { [PRESENCE_KEY]: text });
  return true;
}

/** What `storeCalibration` put into the checkpoint; undefined where there is none, or one that cannot be read. */
export async function readCalibration(folder: string): Promise<PresenceCalibration | undefined> {
  return parseCalibration(await readMetadata(checkpointPath(folder)));
}
