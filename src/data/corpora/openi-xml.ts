/** Reports of the Open-i collection as XML. */
import { XMLParser } from 'fast-xml-parser';
import * as z from 'zod';
import { DataError } from '../errors.ts';
import { checkJson } from './json.ts';

export interface OpenIReport {
  /** E.g. `CXR28`. */
  readonly id: string;
  readonly sections: {
    readonly findings: string;
    readonly impression: string;
    readonly comparison: string;
    readonly indication: string;
  };
  /** Ids of the images, which are their file names. */
  readonly images: readonly string[];
  /** Terms of the curators, such as `Opacity/lung/base/left/mild`. */
  readonly mesh: readonly string[];
}

/** The five entities of XML and character references are replaced; the files declare none, so none is expanded. */
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  parseAttributeValue: false,
  htmlEntities: false,
  processEntities: { enabled: true, maxExpansionDepth: 1, maxTotalExpansions: 10_000, maxExpandedLength: 1_000_000 },
  isArray: (name) => name === 'AbstractText' || name === 'parentImage' || name === 'major',
});

const text = z.union([
  z.string(),
  z.object({ '#text': z.string().optional() }).transform((node) => node['#text'] ?? ''),
]);
const part = z.union([z.string(), z.object({ '@Label': z.string().optional(), '#text': z.string().optional() })]);
const schema = z.object({
  eCitation: z.object({
    uId: z.object({ '@id': z.string().min(1) }),
    MedlineCitation: z.object({
      Article: z.object({
        Abstract: z.union([z.string(), z.object({ AbstractText: z.array(part).default([]) })]).optional(),
      }),
    }),
    MeSH: z.union([z.string(), z.object({ major: z.array(text).default([]) })]).optional(),
    parentImage: z.array(z.union([z.string(), z.object({ '@id': z.string().optional() })])).default([]),
  }),
});

/** Throws DataError that names the file, for text that is no XML or not of this collection. */
export function parseOpenI(xml: string, source: string): OpenIReport {
  let tree: unknown;
  try {
    tree = parser.parse(xml, true);
  } catch (error) {
    throw new DataError(`${source}: expected a report as XML (${error instanceof Error ? error.message : error}).`);
  }
  const { eCitation } = checkJson(tree, schema, source);
  const { Abstract: abstract } = eCitation.MedlineCitation.Article;
  const parts = typeof abstract === 'object' ? abstract.AbstractText : [];
  const section = (label: string): string => {
    const found = parts.findLast((each) => typeof each === 'object' && each['@Label'] === label && each['#text']);
    return typeof found === 'object' ? (found['#text'] ?? '').trim() : '';
  };
  const { MeSH: mesh } = eCitation;
  return {
    id: eCitation.uId['@id'],
    sections: {
      findings: section('FINDINGS'),
      impression: section('IMPRESSION'),
      comparison: section('COMPARISON'),
      indication: section('INDICATION'),
    },
    images: eCitation.parentImage.flatMap((image) => (typeof image === 'object' && image['@id'] ? [image['@id']] : [])),
    mesh: typeof mesh === 'object' ? mesh.major.filter((term) => term !== '') : [],
  };
}
