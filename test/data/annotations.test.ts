import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Annotation, placesOf } from '../../src/data/annotations/annotation.ts';
import { fileFinder, isMaskName, isNameOf, maskedImages } from '../../src/data/annotations/fileNames.ts';
import { sortFolder } from '../../src/data/annotations/folderFiles.ts';
import { maskOfImage, maskOfPlaces } from '../../src/data/annotations/mask.ts';
import { planLocalizations } from '../../src/data/annotations/plan.ts';
import { readAnnotations, requireAnnotations } from '../../src/data/annotations/read.ts';
import { encodeRle } from '../../src/data/rle.ts';
import type { Mask } from '../../src/data/types.ts';
import { hasMaterials, materials } from '../support/materials.ts';
import { labelMe, msCxrCsv, msCxrJson } from '../support/miniCorpora.ts';

const noMask = async (file: string): Promise<Mask> => {
  throw new Error(`${file} was not expected to be read.`);
};
const size = { width: 8, height: 4 };
/** The marked pixels of an image of 8 x 4 for a phrase, as rows of text. */
async function drawn(annotations: readonly Annotation[], phrase: string): Promise<string> {
  const { data } = await maskOfPlaces(placesOf(annotations, phrase), size, noMask);
  return Array.from({ length: 4 }, (_, y) => data.slice(8 * y, 8 * y + 8).join('')).join(' ');
}

describe('annotations', () => {
  it('are read from a table of boxes, where several with one phrase are one region', async () => {
    const table =
      'file,phrase,x,y,width,height\na.png,Left effusion,0,0,2,1\na.png,left effusion.,6,3,2,1\nb.png,edema,,,,\n';
    const found = requireAnnotations(`\ufeff${table.replaceAll('\n', '\r\n')}`, 'boxes.csv');
    expect(found.map(({ image, phrase, where }) => [image, phrase, where])).toEqual([
      ['a.png', 'Left effusion', 'boxes.csv row 2'],
      ['a.png', 'left effusion.', 'boxes.csv row 3'],
      ['b.png', 'edema', 'boxes.csv row 4'],
    ]);
    expect(found[2]!.region).toBeUndefined();
    expect(await drawn(found, 'LEFT  effusion')).toBe('11000000 00000000 00000000 00000011');
    expect(placesOf(found, 'edema')).toEqual([]);
  });

  it('are read from phrases.csv of a data folder, a mask before a box', () => {
    const table = 'image_id,phrase,mask_file,x,y,width,height\ns1,edema,phrase-masks/s1--1.png,0,0,1,1\n';
    expect(requireAnnotations(table, 'phrases.csv')[0]).toMatchObject({
      image: 's1',
      region: { kind: 'file', file: 'phrase-masks/s1--1.png' },
    });
  });

  it("are read from RSNA's labels for whatever is looked for, in a frame of 1024", async () => {
    const table = 'patientId,x,y,width,height,Target\nr1,512,0,512,256,1\nr1,0,768,128,256,1\nr2,,,,,0\n';
    const [r1, r2] = requireAnnotations(table, 'stage_2_train_labels.csv');
    expect(await drawn([r1!], 'anything')).toBe('00001111 00000000 00000000 10000000');
    expect(await drawn([r2!], 'anything')).toBe('00000000 00000000 00000000 00000000');
  });

  it.each([
    ['CSV', msCxrCsv(), 'MS_CXR_Local_Alignment_v1.1.0.csv'],
    ['JSON', JSON.stringify(msCxrJson()), 'MS_CXR_Local_Alignment_v1.0.0.json'],
  ])('are read from MS-CXR as %s', async (_, text, name) => {
    const found = requireAnnotations(text, name);
    const own = found.filter(({ image }) => isNameOf(image, 'a1.png'));
    expect([...new Set(own.map(({ phrase }) => phrase))]).toEqual(['Left basilar opacity, patchy', 'Mild edema']);
    // 2 to 6 of 16 pixels across and of 12 down.
    expect(await drawn(own, 'mild edema')).toBe('01100000 01100000 00000000 00000000');
  });

  it('are read from COCO without phrases by their categories', () => {
    const { annotations, ...rest } = msCxrJson() as { annotations: { label_text?: string }[] };
    const bare = annotations.map(({ label_text: _, ...annotation }) => annotation);
    const found = requireAnnotations(JSON.stringify({ ...rest, annotations: bare }), 'coco.json');
    expect(found.map(({ phrase }) => phrase)).toEqual(['Pneumonia', 'Pneumonia', 'Edema']);
  });

  it('are read from LabelMe, by the name of the file, and from ChestX-Det', async () => {
    const square = [
      [2, 1],
      [6, 1],
      [6, 3],
      [2, 3],
    ];
    const outlines = labelMe([
      { label: 'opacity', points: square },
      {
        label: 'left_lung',
        points: [
          [0, 0],
          [8, 0],
          [8, 4],
        ],
      },
    ]);
    const [found] = requireAnnotations(outlines, 'COVID-19-AR-1_XR.json');
    expect(isNameOf(found!.image, 'COVID-19-AR-1_XR.jpg')).toBe(true);
    expect(await drawn([found!], 'opacity')).toBe('00000000 00111100 00111100 00000000');
    const polygon = [
      [0, 0],
      [512, 0],
      [512, 256],
      [0, 256],
    ];
    const det = JSON.stringify([
      { file_name: '1.png', syms: [], boxes: [], polygons: [] },
      { file_name: '36302.png', syms: ['Effusion'], boxes: [[0, 0, 512, 256]], polygons: [polygon] },
    ]);
    const effusion = requireAnnotations(det, 'ChestX_Det_test.json');
    expect(effusion.map(({ image, phrase }) => [image, phrase])).toEqual([['36302.png', 'Effusion']]);
    expect(await drawn(effusion, 'effusion')).toBe('11110000 00000000 00000000 00000000');
  });

  it('are read from CheXlocalize as run lengths and as outlines', async () => {
    const mask = { ...size, data: Uint8Array.from({ length: 32 }, (_, i) => (i % 8 > 5 ? 1 : 0)) };
    const id = 'patient64541_study1_view1_frontal';
    const runs = JSON.stringify({ [id]: { Edema: { size: [4, 8], counts: encodeRle(mask) } } });
    const phrase = 'Findings suggesting edema.';
    expect(await drawn(requireAnnotations(runs, 'gt_segmentations_val.json'), phrase)).toMatch(/^(00000011 ?){4}$/);
    const corners = [
      [6, 0],
      [8, 0],
      [8, 4],
      [6, 4],
    ];
    const outlines = JSON.stringify({ [id]: { img_size: [4, 8], Edema: [corners] } });
    expect(await drawn(requireAnnotations(outlines, 'gt_annotations_val.json'), phrase)).toMatch(/^(00000011 ?){4}$/);
  });

  it.runIf(hasMaterials('data/annotations'))('are read from the published files', () => {
    const read = (name: string) =>
      requireAnnotations(readFileSync(`${materials}/data/annotations/${name}`, 'utf8'), name);
    const nih = read('NIH_BBox_List_2017.csv');
    expect(nih).toHaveLength(984);
    expect(nih[0]).toMatchObject({ image: '00013118_008.png', phrase: 'Atelectasis', region: { width: 1024 } });
    expect(new Set(read('ChestX_Det_test.json').map(({ phrase }) => phrase)).size).toBe(13);
    const lungs = read('lung_bounding_boxes_coco.json');
    expect(new Set(lungs.map(({ phrase }) => phrase))).toEqual(new Set(['Right Lung', 'Left Lung']));
  });

  it('say in a sentence what is wrong', async () => {
    const cases: [string, string, RegExp][] = [
      [
        't.csv',
        'file,phrase,x,y,width,height\na,b,1,,,\n',
        /^t\.csv row 2: expected a box as "x", "y", "width" and "height"/,
      ],
      ['t.csv', 'file,x,y,width,height\na,1,1,0,2\n', /^t\.csv row 2: .*positive width and height, found 0 x 2/],
      [
        't.csv',
        'file,x,y,width,height\na,one,1,1,2\n',
        /^t\.csv row 2, column "x": expected a number of pixels.*found "one"/,
      ],
      ['t.csv', 'file,phrase\n,b\n', /^t\.csv row 2, column "file": expected the name of an image, found ""/],
      ['t.csv', 'file,phrase\na,\n', /^t\.csv row 2: expected a "phrase", a box or a "mask", found none/],
      ['t.csv', '', /^t\.csv: expected a header and rows, found an empty file/],
      ['t.csv', 'file,phrase\n"a', /^t\.csv: expected comma-separated rows/],
      ['t.csv', 'patientId,x,y,width,height,Target\nr1,,,,,1\n', /^t\.csv row 2: expected a box, as Target is 1/],
      ['t.csv', 'file,text\na,b\n', /^t\.csv: expected phrases or places of findings.*Found something else/],
      ['t.json', '{"a": ', /^t\.json: expected JSON/],
      ['t.json', '{"images": [], "categories": [], "annotations": [{}]}', /^t\.json, field "annotations\.0\./],
      ['t.json', '[1, 2]', /^t\.json: expected phrases or places/],
    ];
    for (const [name, text, sentence] of cases) expect(() => requireAnnotations(text, name)).toThrow(sentence);
    expect(readAnnotations('file,text\na,b\n', 'manifest.csv')).toBeUndefined();
    const outside = requireAnnotations('file,x,y,width,height\na,9,0,3,3\n', 'far.csv');
    await expect(drawn(outside, '')).rejects.toThrow(
      'far.csv row 2: expected a place within 8 × 4 pixels, found one outside.',
    );
  });
});

describe('masks', () => {
  it('mark what is bright, whether they are written with 1 or with 255', () => {
    const levels = [0, 1, 0, 1];
    const expected = [0, 1, 0, 1];
    for (const full of [1, 255]) {
      const image = { width: 2, height: 2, data: Float32Array.from(levels, (level) => (level * full) / 255) };
      expect([...maskOfImage(image).data]).toEqual(expected);
    }
    expect([...maskOfImage({ width: 2, height: 1, data: new Float32Array(2) }).data]).toEqual([0, 0]);
  });

  it('must be of the size of the image', async () => {
    const place = { region: { kind: 'file', file: 'a_mask.png' }, where: 't.csv row 2' } as const;
    const small = { width: 4, height: 2, data: new Uint8Array(8) };
    await expect(maskOfPlaces([place], size, async () => small)).rejects.toThrow(
      "a_mask.png: expected a mask of the image's size, 8 × 4 pixels, found 4 × 2.",
    );
  });

  it('are known by their name or folder, and name their image', () => {
    const masks = ['chest_mask.png', 'mask.png', 'pngs_masks/COVID-19.png', 'phrase-masks/s1--1.png', 'Masks/a__b.png'];
    expect(masks.filter(isMaskName)).toEqual(masks);
    expect(['chest.png', 'unmasked.png', 'mask.csv', 'damask/a.png'].filter(isMaskName)).toEqual([]);
    expect(maskedImages('masks/s1__pleural-effusion.png')).toContain('s1');
    expect(maskedImages('chest_mask.png')).toContain('chest');
    expect(maskedImages('pngs_masks/COVID-19-AR_1.png')).toContain('COVID-19-AR_1');
  });
});

describe('fileFinder', () => {
  const find = fileFinder(['x/p1/s1/a.jpg', 'x/p2/s2/a.jpg', 'x/b.dcm', '1.2.840.3', 'x/1_IM.dcm.png']);

  it('finds by path, file name and id, whatever the ending', () => {
    expect(find('files/p2/s2/a.png')).toBe('x/p2/s2/a.jpg');
    expect(find('B')).toBe('x/b.dcm');
    expect(find('b.png')).toBe('x/b.dcm');
    expect(find('1.2.840.3')).toBe('1.2.840.3');
    expect(find('1_IM')).toBe('x/1_IM.dcm.png');
    expect(find('c')).toBeUndefined();
  });

  it('does not guess among equal names', () => {
    expect(() => find('a')).toThrow('"a" may be x/p1/s1/a.jpg or x/p2/s2/a.jpg');
  });
});

describe('planLocalizations', () => {
  const images = ['a.png', 'b.png', 'c.png'];

  it('looks for every phrase in every image without a table, and takes masks by their names', () => {
    const masks = ['masks/a.png', 'masks/zzz.png'];
    const {
      images: planned,
      unusable,
      unnamed,
    } = planLocalizations({ images, masks, phrases: ['edema', 'Edema.', 'mass'] });
    expect(planned.map(({ file, phrases }) => [file, phrases.map(({ phrase }) => phrase)])).toEqual(
      images.map((file) => [file, ['edema', 'mass']]),
    );
    expect(planned.map(({ phrases }) => phrases[0]!.places?.length)).toEqual([1, undefined, undefined]);
    expect([unusable, unnamed]).toEqual([[], []]);
  });

  it('does what a table says, and names what it cannot do', () => {
    const annotations = requireAnnotations(
      'file,phrase,x,y,width,height\nb.png,edema,0,0,1,1\nb,edema,1,1,1,1\nB.jpg,mass,,,,\nx.png,mass,,,,\n',
      't.csv',
    );
    const { images: planned, unusable, unnamed } = planLocalizations({ images, annotations, phrases: ['of the page'] });
    expect(planned).toHaveLength(1);
    expect(planned[0]!.phrases.map(({ phrase, places }) => [phrase, places?.length])).toEqual([
      ['edema', 2],
      ['mass', undefined],
    ]);
    expect(unusable).toEqual([{ where: 't.csv row 5', reason: 'there is no image x.png' }]);
    expect(unnamed).toEqual(['a.png', 'c.png']);
  });

  it('looks for the phrases of the page where a table has none', () => {
    const annotations = requireAnnotations('patientId,x,y,width,height,Target\na,1,1,9,9,1\nb,,,,,0\n', 'labels.csv');
    const { images: planned } = planLocalizations({ images, annotations, phrases: ['pneumonia', 'opacity'] });
    expect(planned.map(({ phrases }) => phrases.map(({ phrase, places }) => [phrase, places?.length]))).toEqual([
      [
        ['pneumonia', 1],
        ['opacity', 1],
      ],
      [
        ['pneumonia', 1],
        ['opacity', 1],
      ],
    ]);
  });
});

describe('sortFolder', () => {
  it('tells images, masks and tables apart, and leaves out what is hidden', () => {
    const paths = [
      'd/.DS_Store',
      '__MACOSX/a.png',
      'd/b.JPG',
      'd/a_mask.png',
      'd/t.csv',
      'd/IM0001',
      'd/1.2.840',
      'd/n.txt',
    ];
    expect(sortFolder([...paths, 'd/DICOMDIR'])).toEqual({
      images: ['d/1.2.840', 'd/IM0001', 'd/b.JPG'],
      masks: ['d/a_mask.png'],
      tables: ['d/t.csv'],
      others: ['d/DICOMDIR', 'd/n.txt'],
    });
  });
});
