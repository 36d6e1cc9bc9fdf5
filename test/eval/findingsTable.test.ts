import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { findingsTable } from '../../src/eval/findingsTable.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';

describe('findingsTable', () => {
  it('says in every line what the maps are for, and that the model is not trained where that is so', () => {
    const rows = [{ file: 'a.png', phrase: 'effusion', error: 'a.png: expected an image.' }];
    const noticeOf = (note?: string) => {
      const [line] = parse(findingsTable(rows, { preset: 'paper-minmax', threshold: 0.3, note }), { columns: true });
      return (line as Record<string, string>).notice;
    };
    expect(noticeOf()).toBe(RESEARCH_NOTICE);
    expect(noticeOf('It is not trained.')).toBe(`${RESEARCH_NOTICE} It is not trained.`);
  });
});
