/** What a published file is good for: `--bert`, `--resnet`, `--vocab`, or to read. */
export type PublishedRole = 'bert' | 'resnet' | 'vocabulary' | 'description';

/** A checksum that the publisher states beside or in the name of the file. */
export interface PublishedChecksum {
  /** `sha256` may be the beginning of one, as in the names of torchvision's files. */
  readonly algorithm: 'sha256' | 'md5';
  readonly hex: string;
}

export interface PublishedFile {
  readonly name: string;
  readonly role: PublishedRole;
  /** `url` is `host` and `path`; a mirror replaces the host. */
  readonly host: string;
  readonly path: string;
  readonly checksum?: PublishedChecksum;
}

export interface PublishedWeights {
  readonly description: string;
  readonly files: readonly PublishedFile[];
}

function hub(repository: string, name: string, role: PublishedRole, checksum?: PublishedChecksum): PublishedFile {
  const path = `/${repository}/resolve/main/${name}`;
  return { name, role, host: 'https://huggingface.co', path, ...(checksum ? { checksum } : {}) };
}

function bert(repository: string): PublishedFile[] {
  return [
    hub(repository, 'config.json', 'description'),
    hub(repository, 'vocab.txt', 'vocabulary'),
    hub(repository, 'pytorch_model.bin', 'bert'),
  ];
}

const cxrBert = 'microsoft/BiomedVLP-CXR-BERT-specialized';

/** Weights that `groundray weights fetch` knows by name. */
export const publishedWeights: Readonly<Record<string, PublishedWeights>> = {
  'bio-clinical-bert': {
    description:
      'Bio_ClinicalBERT, BERT-base trained on biomedical texts and MIMIC-III notes (Alsentzer et al. 2019), 436 MB',
    files: bert('emilyalsentzer/Bio_ClinicalBERT'),
  },
  'bert-tiny': {
    description: 'BERT with 2 layers, 128 wide, uncased (Turc et al. 2019), 18 MB',
    files: bert('prajjwal1/bert-tiny'),
  },
  resnet50: {
    description: "torchvision's ResNet-50 trained on ImageNet (IMAGENET1K_V1), 98 MB",
    files: [
      {
        name: 'resnet50-0676ba61.pth',
        role: 'resnet',
        host: 'https://download.pytorch.org',
        path: '/models/resnet50-0676ba61.pth',
        checksum: { algorithm: 'sha256', hex: '0676ba61' },
      },
    ],
  },
  biovil: {
    description: 'BioViL: ResNet-50 and CXR-BERT trained on MIMIC-CXR (Boecking et al. 2022), 104 and 439 MB',
    files: [
      ...bert(cxrBert),
      hub(cxrBert, 'biovil_image_resnet50_proj_size_128.pt', 'resnet', {
        algorithm: 'md5',
        hex: '02ce6ee460f72efd599295f440dbb453',
      }),
    ],
  },
};

/** Address of a file; `base` (such as `http://localhost:8000`) stands for every host. */
export function addressOf({ host, path }: PublishedFile, base?: string): string {
  return `${(base ?? host).replace(/\/+$/, '')}${path}`;
}
