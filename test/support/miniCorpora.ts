/** Miniature corpora in the layouts of the real ones, for tests: a few generated images and reports written here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeGrayPng } from '../../src/io/png.node.ts';

export function write(folder: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

/** A grey image that brightens from left to right. */
export function png(width = 8, height = 6): Uint8Array {
  const data = Float32Array.from({ length: width * height }, (_, i) => (i % width) / width);
  return encodeGrayPng({ width, height, data });
}

export interface MimicImage {
  readonly patient: string;
  readonly study: string;
  readonly dicom: string;
  readonly view: string;
  readonly split: string;
}

/** Three patients with five studies and seven images. */
export const mimicImages: readonly MimicImage[] = [
  { patient: '10000011', study: '50000005', dicom: 'a1', view: 'PA', split: 'train' },
  { patient: '10000011', study: '50000005', dicom: 'a2', view: 'LATERAL', split: 'train' },
  { patient: '10000011', study: '50000001', dicom: 'a3', view: 'AP', split: 'train' },
  { patient: '11000022', study: '50000003', dicom: 'b1', view: 'PA', split: 'validate' },
  { patient: '11000022', study: '50000002', dicom: 'b2', view: 'AP', split: 'validate' },
  { patient: '12000033', study: '50000004', dicom: 'c1', view: 'PA', split: 'test' },
  { patient: '12000033', study: '50000004', dicom: 'c2', view: '', split: 'test' },
];

const RULE = '_'.repeat(78);
const indent = (lines: readonly string[]): string => `${lines.map((line) => ` ${line}`).join('\n')}\n`;

/** Reports by study: addendum, enumeration, wet read, no heading, and marks of removed identifiers. */
export const mimicReports: Readonly<Record<string, string>> = {
  '50000005': indent([
    '                                FINAL REPORT',
    'EXAMINATION:  CHEST (PA AND LAT)',
    '',
    'INDICATION:  ___F with cough  // pneumonia?',
    '',
    'FINDNGS: ',
    '',
    'There is a 1.9 x 2.1 cm opacity in the left base.  Seen by Dr. ___ at ___ a.m.',
    'The heart is normal.',
    '',
    'IMPRESSION: ',
    '',
    'Left basilar opacity.',
    '',
    RULE,
    'FINAL ADDENDUM',
    'The above was discussed by telephone.',
  ]),
  '50000001': indent([
    'WET READ: ___ ___ ___ 6:41 PM',
    '  Wide mediastinum, wait for the attending.',
    RULE,
    '                                FINAL REPORT',
    'PORTABLE AP CHEST RADIOGRAPH:  Low lung volumes. No effusion.',
    '',
    'IMPRESSON:',
    '',
    '1. No pneumothorax. ',
    '2. Mild pulmonary edema, unchanged.',
  ]),
  '50000003': indent([
    '                                FINAL REPORT',
    'HISTORY:  Fever.',
    '',
    'Comparison is made to the study of ___.',
    '',
    'The lungs are clear.  There is no effusion.',
  ]),
  '50000002': indent(['                                FINAL REPORT', 'INDICATION:  ___M with fall.', '']),
  '50000004': indent([
    '                                FINAL REPORT',
    'FINDINGS:  Preliminary text.',
    '',
    'FINDINGS:  Right pleural effusion with ___ catheter.',
    '',
    'CONCLUSION:  Right effusion.',
  ]),
};

export interface MimicOptions {
  /** gzip tables. Default true. */
  readonly compressed?: boolean;
  /** Line ends of tables and reports. Default LF. */
  readonly lineEnd?: '\n' | '\r\n';
  /** A byte order mark before the tables. */
  readonly mark?: boolean;
  /** Form of the image files. Default `files/p10/.../a1.jpg`. */
  readonly imagePath?: (image: MimicImage) => string;
}

export function treePath({ patient, study, dicom }: MimicImage): string {
  return `files/p${patient.slice(0, 2)}/p${patient}/s${study}/${dicom}.jpg`;
}

/** Writes MIMIC-CXR-JPG with its reports as an unpacked tree. The images are PNGs whatever their name says. */
export function writeMimic(folder: string, options: MimicOptions = {}): void {
  const { compressed = true, lineEnd = '\n', mark = false, imagePath = treePath } = options;
  const table = (name: string, rows: readonly (readonly string[])[]): void => {
    const text = `${mark ? '\ufeff' : ''}${rows.map((row) => row.join(',')).join(lineEnd)}${lineEnd}`;
    write(folder, `mimic-cxr-2.0.0-${name}.csv${compressed ? '.gz' : ''}`, compressed ? gzipSync(text) : text);
  };
  table('metadata', [
    ['dicom_id', 'subject_id', 'study_id', 'ViewPosition', 'Rows'],
    ...mimicImages.map(({ dicom, patient, study, view }) => [dicom, patient, study, view, '6']),
  ]);
  table('split', [
    ['dicom_id', 'study_id', 'subject_id', 'split'],
    ...mimicImages.map(({ dicom, patient, study, split }) => [dicom, study, patient, split]).reverse(),
  ]);
  table('chexpert', [
    ['subject_id', 'study_id', 'Edema', 'Lung Opacity', 'No Finding'],
    ['10000011', '50000005', '', '1.0', '0.0'],
    ['10000011', '50000001', '-1.0', '', ''],
  ]);
  for (const image of mimicImages) write(folder, imagePath(image), png());
  for (const { patient, study } of mimicImages) {
    const text = (mimicReports[study] ?? '').replaceAll('\n', lineEnd);
    write(folder, `files/p${patient.slice(0, 2)}/p${patient}/s${study}.txt`, text);
  }
}

/** MS-CXR on the images of `writeMimic`: two boxes of one phrase, another phrase, and their validation split. */
export function msCxrCsv(): string {
  const path = treePath(mimicImages[0] as MimicImage);
  const other = treePath(mimicImages[3] as MimicImage);
  return [
    'category_name,label_text,path,x,y,w,h,image_width,image_height,dicom_id,split',
    `Pneumonia,"Left basilar opacity, patchy",${path},0,0,16,12,16,12,a1,test`,
    `Pneumonia,"Left basilar opacity, patchy",${path},8,6,4,2,16,12,a1,test`,
    `Edema,Mild edema,${path},2,2,4,4,16,12,a1,test`,
    `Pleural Effusion,Right effusion,${other},12,8,4,4,16,12,b1,val`,
    '',
  ].join('\n');
}

/** The same as COCO, as version 1.0.0 has it: no split. */
export function msCxrJson(): object {
  const image = { id: 7, width: 16, height: 12 };
  const annotation = { image_id: 7, width: 16, height: 12 };
  return {
    info: {},
    categories: [
      { id: 1, name: 'Pneumonia' },
      { id: 2, name: 'Edema' },
    ],
    images: [{ ...image, file_name: 'a1.jpg', path: treePath(mimicImages[0] as MimicImage) }],
    annotations: [
      { id: 1, ...annotation, category_id: 1, bbox: [0, 0, 8, 12], label_text: 'Left basilar opacity, patchy' },
      { id: 2, ...annotation, category_id: 1, bbox: [8, 6, 4, 2], label_text: 'Left basilar opacity, patchy' },
      { id: 3, ...annotation, category_id: 2, bbox: [2, 2, 4, 4], label_text: 'Mild edema' },
    ],
  };
}

/** A report of Open-i. */
export function openIXml(uid: number, parts: Readonly<Record<string, string>>, images: readonly string[]): string {
  const texts = ['COMPARISON', 'INDICATION', 'FINDINGS', 'IMPRESSION']
    .map((label) =>
      parts[label]
        ? `<AbstractText Label="${label}">${parts[label]}</AbstractText>`
        : `<AbstractText Label="${label}"/>`,
    )
    .join('\n');
  const figures = images.map(
    (id) => `<parentImage id="${id}"><figureId>F1</figureId><caption>Xray</caption></parentImage>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?>
<eCitation><meta type="rr"/><uId id="CXR${uid}"/><docSource>CXR</docSource>
<MedlineCitation><Article><Abstract>${texts}</Abstract></Article></MedlineCitation>
<MeSH><major>Opacity/lung/base/left/mild</major><automatic>opacity</automatic></MeSH>${figures.join('')}</eCitation>`;
}

/** IU X-ray as Open-i gives it: three reports, four images. */
export function writeIuXray(folder: string): void {
  const reports = 'ecgen-radiology';
  const full = { FINDINGS: 'Heart size &lt; 50%. No effusion.', IMPRESSION: '1. Clear lungs. 2. XXXX opacity.' };
  write(folder, `${reports}/1.xml`, openIXml(1, full, ['CXR1_1_IM-0001-3001', 'CXR1_1_IM-0001-4001']));
  write(folder, `${reports}/2.xml`, openIXml(2, { IMPRESSION: 'No acute disease seen.' }, ['CXR2_IM-0652-1001']));
  write(folder, `${reports}/3.xml`, openIXml(3, {}, []));
  for (const name of ['CXR1_1_IM-0001-3001', 'CXR1_1_IM-0001-4001', 'CXR2_IM-0652-1001']) {
    write(folder, `NLMCXR_png/${name}.png`, png());
  }
}

/** The table of views that the Kaggle copy has. */
export const iuProjections = [
  'uid,filename,projection',
  '1,1_IM-0001-4001.dcm.png,Frontal',
  '1,1_IM-0001-3001.dcm.png,Lateral',
  '2,2_IM-0652-1001.dcm.png,Frontal',
  '',
].join('\n');

/** RSNA: two boxes on the first image, none on the second, an image of 16x16 that is missing. */
export function writeRsna(folder: string): void {
  const rows = ['r1,512,0,256,512,1', 'r1,0,512,512,512,1', 'r2,,,,,0', 'r3,0,0,100,100,1'];
  write(folder, 'stage_2_train_labels.csv', `patientId,x,y,width,height,Target\n${rows.join('\n')}\n`);
  for (const id of ['r1', 'r2']) write(folder, `stage_2_train_images/${id}.png`, png(16, 16));
}

export function labelMe(shapes: readonly { label: string; points: number[][] }[]): string {
  const rest = { group_id: null, shape_type: 'polygon', flags: {} };
  const all = shapes.map((shape) => ({ ...shape, ...rest }));
  return JSON.stringify({ version: '4.5.6', flags: {}, shapes: all, imagePath: 'x.jpg', imageData: 'AAAA' });
}

/** COVID Rural: an outlined image, one with lungs only, one with a mask, one without anything. */
export function writeCovidRural(folder: string): void {
  const base = 'covid_rural_annot';
  const square = [
    [2, 1],
    [6, 1],
    [6, 4],
    [2, 4],
  ];
  const name = (n: number): string => `COVID-19-AR-1640648${n}_01-15-2012-XR`;
  for (const n of [1, 2, 3, 4]) write(folder, `${base}/jpgs/${name(n)}.jpg`, png());
  const outlined = labelMe([
    {
      label: 'right_lung',
      points: [
        [0, 0],
        [8, 0],
        [8, 6],
        [0, 6],
      ],
    },
    { label: 'opacity', points: square },
  ]);
  write(folder, `${base}/jpgs/jsons/${name(1)}.json`, outlined);
  write(folder, `${base}/jpgs/jsons/${name(2)}.json`, labelMe([{ label: 'left_lung', points: square }]));
  const mask = encodeGrayPng({
    width: 8,
    height: 6,
    data: Float32Array.from({ length: 48 }, (_, i) => (i < 8 ? 1 / 255 : 0)),
  });
  write(folder, `${base}/pngs_masks/${name(3)}.png`, mask);
}

/** A zip file whose entries are stored without compression. */
export function zipOf(entries: readonly (readonly [string, string])[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of entries) {
    const [nameBytes, data] = [Buffer.from(name), Buffer.from(text)];
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt32LE(crc32(data), 14);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(nameBytes.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    local.copy(central, 10, 8, 28);
    central.writeUInt16LE(nameBytes.length, 28);
    central.writeUInt32LE(offset, 42);
    parts.push(local, nameBytes, data);
    directory.push(central, nameBytes);
    offset += local.length + nameBytes.length + data.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
