/** The real reports of the Indiana collection, where they are at hand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { parseOpenI } from '../../../src/data/corpora/openi-xml.ts';
import { corpusNamed } from '../../../src/data/corpora/registry.node.ts';
import { reportParts } from '../../../src/data/text/sections.ts';
import { splitSentences } from '../../../src/data/text/sentences.ts';
import { hasMaterials, materials } from '../../support/materials.ts';

const folder = join(materials, 'data/reports');

interface Row {
  readonly file: string;
  readonly report_id: string;
  readonly has_comparison: string;
  readonly has_indication: string;
  readonly findings_chars: string;
  readonly impression_chars: string;
  readonly images: string;
  readonly mesh_major: string;
  readonly shape: string;
}

describe.skipIf(!hasMaterials('data/reports/index.csv'))('the Indiana reports', () => {
  const exists = existsSync(join(folder, 'index.csv'));
  const rows: Row[] = exists ? parse(readFileSync(join(folder, 'index.csv')), { columns: true }) : [];
  const reports = rows.map((row) => ({
    row,
    shape: new Set(row.shape.split(' ')),
    report: parseOpenI(readFileSync(join(folder, row.file), 'utf8'), row.file),
  }));
  const shaped = (name: string) => reports.filter(({ shape }) => shape.has(name));

  it('have the sections, images and terms that their index lists', () => {
    expect(reports.length).toBe(368);
    for (const { row, report } of reports) {
      const { findings, impression, comparison, indication } = report.sections;
      const found = {
        report_id: report.id,
        findings_chars: String(findings.length),
        impression_chars: String(impression.length),
        has_comparison: comparison === '' ? '0' : '1',
        has_indication: indication === '' ? '0' : '1',
        images: String(report.images.length),
        mesh_major: report.mesh.join(';'),
      };
      // The parser leaves spaces around terms out.
      const listed = { ...row, mesh_major: row.mesh_major.replace(/ *; */g, ';').trim() };
      expect(listed, row.file).toMatchObject(found);
    }
    for (const { report } of shaped('empty')) {
      expect([report.sections.findings, report.sections.impression]).toEqual(['', '']);
    }
    for (const { report } of shaped('no-findings')) expect(report.sections.findings).toBe('');
    for (const { report } of shaped('no-impression')) expect(report.sections.impression).toBe('');
  });

  it('give the same sections when they are written as plain text', () => {
    const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();
    for (const { row, report } of reports) {
      const { findings, impression, comparison, indication } = report.sections;
      const text = [
        '                                 FINAL REPORT',
        `INDICATION: ${indication}`,
        '',
        `COMPARISON: ${comparison}`,
        '',
        `FINDINGS: ${findings}`,
        '',
        `IMPRESSION: ${impression}`,
      ];
      const parts = reportParts(text.map((line) => ` ${line}\n`).join(''));
      expect(plain(parts.findings), row.file).toBe(plain(findings));
      expect(plain(parts.impression), row.file).toBe(plain(impression));
    }
  });

  it('are split at the numbers of their lists, and never inside decimals or behind titles', () => {
    expect(shaped('numbered').length).toBeGreaterThan(60);
    for (const { row, report } of shaped('numbered')) {
      const { impression } = report.sections;
      const points = impression.match(/(?:^|\s)\d\.\s+(?=[A-Z])/g)?.length ?? 0;
      expect(splitSentences(impression).length, row.file).toBeGreaterThanOrEqual(points);
    }
    expect(shaped('decimal').length).toBeGreaterThan(25);
    for (const { row, report } of shaped('decimal')) {
      const text = `${report.sections.findings}\n\n${report.sections.impression}`;
      const sentences = splitSentences(text);
      for (const [decimal] of text.matchAll(/\d+\.\d+/g)) {
        expect(
          sentences.filter((sentence) => sentence.includes(decimal)).length,
          `${row.file}: ${decimal}`,
        ).toBeGreaterThan(0);
      }
    }
    expect(shaped('abbrev').length).toBeGreaterThan(5);
    for (const { row, report } of shaped('abbrev')) {
      for (const sentence of splitSentences(`${report.sections.findings}\n\n${report.sections.impression}`)) {
        expect(sentence, row.file).not.toMatch(/\b(?:Dr|Mr|Mrs|vs)\.$/);
      }
    }
  });

  it('keep the marks of removed identifiers, split long reports, and give nothing for empty ones', () => {
    for (const { row, report } of reports) {
      const text = `${report.sections.findings}\n\n${report.sections.impression}`;
      const marks = (all: string): number => all.match(/XXXX/g)?.length ?? 0;
      // A piece without any other word, such as "XXXX.", has letters and is kept too.
      expect(marks(splitSentences(text).join(' ')), row.file).toBe(marks(text));
    }
    for (const { report } of shaped('long')) expect(splitSentences(report.sections.findings).length).toBeGreaterThan(8);
    for (const { report } of shaped('empty')) expect(splitSentences(report.sections.findings)).toEqual([]);
  });

  it('are read by the corpus in the order of their numbers, and their missing images are listed', async () => {
    const dropped: string[] = [];
    const notes: string[] = [];
    const read = async (): Promise<void> => {
      const location = { root: folder, reports: join(folder, 'indiana-xml') };
      for await (const item of corpusNamed('iu-xray').read(location)) {
        if ('dropped' in item) dropped.push(item.dropped.id);
        if ('note' in item) notes.push(item.note);
      }
    };
    await expect(read()).rejects.toThrow(/expected the images in NLMCXR_png.*--images/);
    const images = reports.reduce((sum, { report }) => sum + Math.max(1, report.images.length), 0);
    expect(dropped.length).toBe(images);
    expect(readdirSync(join(folder, 'indiana-xml')).length).toBe(368);
  });
});
