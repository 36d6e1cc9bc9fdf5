import { describe, expect, it } from 'vitest';
import { parseSections, principalSection, reportParts, selectReportText } from '../../src/data/text/sections.ts';

const RULE = '_'.repeat(60);
const report = (...lines: string[]): string => ` FINAL REPORT\n${lines.map((line) => ` ${line}\n`).join('')}`;

describe('headings', () => {
  it.each([
    ['IMPRESSON', 'impression'],
    ['IMPRSSION', 'impression'],
    ['IMPESSION', 'impression'],
    ['IMPPRESSION', 'impression'],
    ['CONCLUSIONS', 'impression'],
    ['FINDIGNS', 'findings'],
    ['FINDNGS', 'findings'],
    ['FINDINGS AND IMPRESSION', 'findings'],
    ['PA AND LATERAL VIEWS OF THE CHEST', 'findings'],
    ['PORTABLE CHEST', 'findings'],
    ['FRONTAL AND LATERAL CHEST RADIOGRAPHS', 'findings'],
    ['COMPARSION', 'comparison'],
    ['INDICTION', 'indication'],
    ['CLINICAL HISTORY', 'indication'],
    ['REASON FOR EXAM', 'indication'],
    ['TECHNIQE', 'technique'],
    ['EXAMINATION', 'examination'],
    ['RECOMMENDATION(S)', 'other'],
    ['RECOMMENDATION', 'other'],
  ])('%s is read as %s', (heading, name) => {
    expect(parseSections(report(`${heading}:  Some text.`)).map((section) => section.name)).toEqual([name]);
  });
});

describe('the parts of a report', () => {
  it('are the last ones that are not empty', () => {
    const parts = reportParts(report('FINDINGS: First.', 'FINDINGS: Second.', 'IMPRESSION: Third.', 'IMPRESSION:', ''));
    expect(parts).toEqual({ findings: 'Second.', impression: 'Third.', lastParagraph: '', comparison: '' });
  });

  it('do not swallow what a rule sets off', () => {
    const lines = ['IMPRESSION: Clear lungs.', RULE, 'Electronically filed.', RULE, 'FINAL ADDENDUM', 'Called in.'];
    expect(reportParts(report(...lines)).impression).toBe('Clear lungs.');
    const wet = ['WET READ: ___ 6:41 PM', ' Edema.', RULE, 'FINDINGS: No edema.'];
    expect(reportParts(report(...wet))).toMatchObject({ findings: 'No edema.', impression: '' });
  });

  it('take the impression of an addendum, which replaces the first', () => {
    const lines = ['IMPRESSION: Clear lungs.', RULE, 'ADDENDUM', '', 'IMPRESSION: Small nodule.'];
    expect(reportParts(report(...lines)).impression).toBe('Small nodule.');
  });

  it('have a last paragraph where no section is headed, without addenda', () => {
    const lines = [
      'Comparison to ___.',
      '',
      'The lungs are clear.',
      'No effusion.',
      '',
      RULE,
      'ADDENDUM',
      'Called in.',
    ];
    const want = 'The lungs are clear.\nNo effusion.';
    expect(reportParts(report(...lines)).lastParagraph).toBe(want);
    expect(selectReportText(report(...lines))).toBe(want);
  });

  it('leave nothing of a report that only says why it was made', () => {
    expect(reportParts(report('INDICATION: ___M with fall.', ''))).toEqual({
      findings: '',
      impression: '',
      lastParagraph: '',
      comparison: '',
    });
  });

  it('are tried in order where one section is wanted', () => {
    const parts = { impression: 'i', findings: 'f', lastParagraph: 'l', comparison: 'c' };
    expect(principalSection(parts)).toBe('i');
    expect(principalSection({ ...parts, impression: '' })).toBe('f');
    expect(principalSection({ lastParagraph: 'l', comparison: 'c' })).toBe('l');
    expect(principalSection({ comparison: 'c' })).toBe('c');
    expect(principalSection({})).toBe('');
  });

  it('do not depend on line ends or on spaces in blank lines', () => {
    const text = report('FINDINGS: ', ' ', 'One.', ' ', 'IMPRESSION: ', ' ', '1. Two.', '2. Three.');
    expect(reportParts(text.replaceAll('\n', '\r\n'))).toEqual(reportParts(text));
    expect(reportParts(text.replaceAll('\n  \n', '\n\n'))).toEqual(reportParts(text));
  });
});
