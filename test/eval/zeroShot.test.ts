import { describe, expect, it } from 'vitest';
import { resampleImages } from '../../src/eval/bootstrap.ts';
import { combine, type Match, scaleOf } from '../../src/eval/matcher.ts';
import { promptsOf } from '../../src/eval/prompts.ts';
import { type ClassifiedImage, classScores, measureZeroShot } from '../../src/eval/zeroShot.ts';

const both = (value: number): Match => ({ global: value, local: value });

/** An image whose single class `edema` matches its two prompts and its pair so well. */
function image(studyId: string, present: boolean, prompts: [number, number], pair: [number, number]): ClassifiedImage {
  const matches = { prompts: prompts.map(both), pair: [both(pair[0]), both(pair[1])] as const };
  return { studyId, present: new Set(present ? ['edema'] : []), matches: { edema: matches } };
}

const draws = (images: readonly ClassifiedImage[]) =>
  resampleImages(
    images.map(({ studyId }) => studyId),
    100,
  );

describe('classScores', () => {
  const images = [image('a', true, [0.5, -0.5], [0.4, 0.1]), image('b', false, [-0.5, 0.5], [0.2, 0.1])];

  it('takes the best prompt, standardised over all prompts and images', () => {
    // Mean 0, deviation .5: both images reach 1 with one of the prompts.
    expect(classScores('edema', 'prompts', images, images)).toEqual([1, 1]);
  });

  it('takes what is affirmed minus what is denied', () => {
    // Differences .3 and .1: mean .2, deviation .1.
    const [a, b] = classScores('edema', 'pairs', images, images);
    expect(a).toBeCloseTo(1, 9);
    expect(b).toBeCloseTo(-1, 9);
  });

  it('averages the global and the local similarity, and goes without a local one', () => {
    const scale = scaleOf([0, 2])!;
    expect(combine({ global: 2, local: 0 }, scale, scale)).toBe(0);
    expect(combine({ global: 2, local: Number.NaN }, scale, scaleOf([Number.NaN]))).toBe(1);
    expect(combine({ global: 5, local: 5 }, { mean: 5, deviation: 0 }, undefined)).toBe(0);
  });

  it('refuses similarities of which none is finite', () => {
    const broken = [image('a', true, [Number.NaN, Number.NaN], [0, 0])];
    expect(() => classScores('edema', 'prompts', broken, broken)).toThrow(/edema has no finite similarity/);
  });
});

describe('measureZeroShot', () => {
  const validation = [image('v1', true, [0.6, 0], [0.6, 0]), image('v2', false, [0.2, 0], [0.2, 0])];
  const test = [
    image('t1', true, [0.5, 0], [0.5, 0]),
    image('t2', false, [0.1, 0], [0.1, 0]),
    image('t3', false, [0.45, 0], [0.45, 0]),
    image('t4', true, [0.3, 0], [0.3, 0]),
  ];

  it('measures order and decisions at the threshold of the validation images', () => {
    const { classes, macro, chancePrecision } = measureZeroShot('pairs', test, validation, draws(test));
    const { edema } = classes;
    // Order .5+ .45- .3+ .1-: .5 beats both negatives, .3 one.
    expect(edema!.auroc.value).toBeCloseTo(3 / 4, 12);
    expect(edema!.averagePrecision.value).toBeCloseTo((1 + 2 / 3) / 2, 12);
    // Threshold half-way between .2 and .6: .5 and .45 are found, one of them rightly; .3 is missed.
    expect(edema!.accuracy.value).toBeCloseTo(2 / 4, 12);
    expect(edema!.f1.value).toBeCloseTo(2 / (2 + 1 + 1), 12);
    expect(edema!.positives).toBe(2);
    expect(macro.auroc.value).toBe(edema!.auroc.value);
    expect(edema!.auroc.low).toBeLessThanOrEqual(0.75);
    expect(chancePrecision).toBe(0.5);
  });

  it('has no decision without validation images', () => {
    const { macro } = measureZeroShot('prompts', test, [], draws(test));
    expect(macro.auroc.value).toBeCloseTo(3 / 4, 12);
    expect([macro.accuracy.value, macro.f1.value]).toEqual([Number.NaN, Number.NaN]);
  });

  it('leaves classes that every image has, and unseen ones, out of the mean', () => {
    const two = (entry: ClassifiedImage, extra: string): ClassifiedImage => ({
      ...entry,
      present: new Set([...entry.present, extra]),
      matches: { ...entry.matches, [extra]: entry.matches.edema! },
    });
    const everywhere = measureZeroShot(
      'pairs',
      test.map((entry) => two(entry, 'heart')),
      [],
      draws(test),
    );
    expect(everywhere.classes.heart!.auroc.value).toBeNaN();
    expect(everywhere.macro.auroc.value).toBeCloseTo(3 / 4, 12);
    const unseen = measureZeroShot(
      'pairs',
      test.map((entry) => two(entry, 'covid')),
      [],
      draws(test),
      ['edema'],
    );
    expect(unseen.macro.auroc.value).toBeNaN();
    expect(unseen.classes.edema!.auroc.value).toBeCloseTo(3 / 4, 12);
  });
});

describe('promptsOf', () => {
  it('knows the classes whatever their spelling, and names others by themselves', () => {
    expect(promptsOf('Pleural Effusion')).toEqual(promptsOf('effusion'));
    expect(promptsOf('pleural-effusion')).toEqual(promptsOf('effusion'));
    expect(promptsOf('covid-like').prompts).toContain('multifocal covid changes');
    expect(promptsOf('pneumonia').pair).toEqual(['There is pneumonia.', 'There is no pneumonia.']);
    expect(promptsOf('rib_fracture').prompts).toEqual(['rib fracture', 'findings suggesting rib fracture']);
  });
});
