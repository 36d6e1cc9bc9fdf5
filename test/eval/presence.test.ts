import { describe, expect, it } from 'vitest';
import type { GroundedPhrase } from '../../src/data/types.ts';
import { resampleImages } from '../../src/eval/bootstrap.ts';
import {
  calibratePresence,
  decidePresence,
  measurePresence,
  type PresenceCase,
  type PresenceKind,
  presenceSignals,
} from '../../src/eval/presence.ts';
import { presenceQuestions } from '../../src/eval/presenceQuestions.ts';

function asked(kind: PresenceKind, peak: number, global = Number.NaN, studyId = 's'): PresenceCase {
  return { studyId, phrase: '', kind, signals: { peak, global } };
}

const about = { sigma: 1, dataset: 'hand-made', step: 7 };

describe('calibratePresence', () => {
  it('separates present from absent phrases and does not look at exchanged sides', () => {
    const cases = [asked('present', 0.8), asked('present', 0.6), asked('absent', 0.4), asked('other-side', 0.9)];
    const calibration = calibratePresence(cases, about)!;
    expect(calibration).toMatchObject({
      signal: 'peak',
      auroc: 1,
      sensitivity: 1,
      specificity: 1,
      phrases: 3,
      step: 7,
    });
    expect(calibration.threshold).toBeCloseTo(0.5, 12);
  });

  it('chooses the signal that separates better', () => {
    const cases = [asked('present', 0.1, 0.9), asked('absent', 0.2, 0.1), asked('absent', 0.05, 0.2)];
    expect(calibratePresence(cases, about)).toMatchObject({ signal: 'global', auroc: 1 });
  });

  it('is undefined without phrases of both kinds', () => {
    expect(calibratePresence([asked('present', 1), asked('other-side', 0)], about)).toBeUndefined();
    expect(calibratePresence([], about)).toBeUndefined();
  });
});

describe('measurePresence', () => {
  it('counts right decisions of each kind', () => {
    const calibration = calibratePresence([asked('present', 0.6), asked('absent', 0.4)], about)!;
    const cases = [
      asked('present', 0.7, Number.NaN, 'a'),
      asked('present', 0.45, Number.NaN, 'b'),
      asked('absent', 0.1, Number.NaN, 'a'),
      asked('absent', 0.5, Number.NaN, 'b'),
      asked('absent', 0.2, Number.NaN, 'b'),
      asked('other-side', 0.6, Number.NaN, 'b'),
    ];
    const result = measurePresence(cases, calibration, resampleImages(['a', 'b'], 50));
    expect(result.counts).toEqual({ present: 2, absent: 3, 'other-side': 1 });
    expect(result.sensitivity.value).toBe(1 / 2);
    // At the threshold counts as present.
    expect(result.specificity.value).toBeCloseTo(2 / 3, 12);
    expect(result.otherSideSpecificity.value).toBe(0);
    // .7 beats three absent ones, .45 two.
    expect(result.auroc.value).toBeCloseTo(5 / 6, 12);
  });
});

describe('decidePresence', () => {
  it('says nothing where the model does not give the calibrated signal', () => {
    const calibration = calibratePresence([asked('present', 0, 1), asked('absent', 0, 0)], about)!;
    expect(calibration.signal).toBe('global');
    expect(decidePresence({ global: 0.5, peak: 1 }, calibration)).toMatchObject({ present: true, value: 0.5 });
    expect(decidePresence({ global: Number.NaN, peak: 1 }, calibration)).toBeUndefined();
  });

  it('takes the peak of the smoothed grid', () => {
    const grid = { width: 3, height: 1, data: Float32Array.of(0, 0, 0.9) };
    expect(presenceSignals({ grid, similarity: 0.2 }, 0)).toMatchObject({ global: 0.2, peak: expect.closeTo(0.9, 6) });
    expect(presenceSignals({ grid }, 1).peak).toBeLessThan(0.9);
    expect(presenceSignals({ grid }, 1).global).toBeNaN();
  });
});

describe('presenceQuestions', () => {
  const phrase = (studyId: string, text: string, category: string): GroundedPhrase => ({
    studyId,
    phrase: text,
    category,
    attributes: {},
    loadMask: () => Promise.reject(new Error('not needed')),
  });

  it('asks for what is there, for what is not, and for the other side', () => {
    const phrases = [phrase('a', 'left effusion', 'effusion'), phrase('b', 'mild edema', 'edema')];
    const questions = presenceQuestions(['a', 'b', 'normal'], phrases);
    const of = (id: string) => questions.get(id)!.map(({ kind, phrase: text }) => `${kind}: ${text}`);
    expect(of('a')).toEqual(['present: left effusion', 'absent: mild edema', 'other-side: right effusion']);
    expect(of('b')).toEqual(['present: mild edema', 'absent: left effusion']);
    expect(of('normal').sort()).toEqual(['absent: left effusion', 'absent: mild edema']);
  });

  it('does not take the other side for absent where the class is on both', () => {
    const phrases = [phrase('a', 'left effusion', 'effusion'), phrase('a', 'right effusion', 'effusion')];
    expect(
      presenceQuestions(['a'], phrases)
        .get('a')!
        .map(({ kind }) => kind),
    ).toEqual(['present', 'present']);
  });

  it('does not call a phrase absent that was said of the image under another class', () => {
    const query = 'findings suggesting pneumonia';
    const phrases = [phrase('a', query, 'covid'), phrase('b', query, 'pneumonia')];
    expect(
      presenceQuestions(['a'], phrases)
        .get('a')!
        .map(({ kind }) => kind),
    ).toEqual(['present']);
  });
});
