/** npx tsx examples/node-localize/localize.ts RUN IMAGES "left pleural effusion" ["another phrase" ...] */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelLocalizer, RESEARCH_NOTICE, renderOverlay, similarityMap } from 'groundray/eval';
import { createGpu, encodePng, loadTrainedModel, openRunFolder, readImage } from 'groundray/node';

const [runFolder = '', folder = '', ...phrases] = process.argv.slice(2);
if (phrases.length === 0)
  throw new Error('Expected RUN (a folder made by npm run train), IMAGES (a folder) and phrases.');
const run = openRunFolder(runFolder);
const gpu = await createGpu();
const localizer = new ModelLocalizer(gpu, loadTrainedModel(gpu, run).model, run.tokenizer, run.config);
for (const file of readdirSync(folder).filter((name) => /(?<!-map)\.(png|jpe?g|dcm)$/i.test(name))) {
  const image = await readImage(join(folder, file));
  for (const [i, found] of (await localizer.localize(image, phrases)).entries()) {
    const [phrase, similarity] = [phrases[i] ?? '', Math.max(...found.grid.data)];
    const map = similarityMap(found, image, image, { sigma: run.config.sigma });
    writeFileSync(join(folder, `${file}-${i}-map.png`), encodePng(renderOverlay(image, { map, caption: phrase })));
    console.log(JSON.stringify({ file, phrase, similarity, notice: RESEARCH_NOTICE }));
  }
}
gpu.dispose();
