import { ScatterChart } from 'echarts/charts';
import { MarkLineComponent } from 'echarts/components';
import { use } from 'echarts/core';
import { AXIS_STYLE, PALETTE, renderSvg, TEXT } from '../../io/charts.node.ts';
import type { ConditionResult, StudyResult } from './result.ts';
import { type Spread, spreadOf } from './spread.ts';

use([ScatterChart, MarkLineComponent]);

interface Panel {
  readonly title: string;
  /** Undefined where a condition has no such figure. */
  readonly spreadIn: (condition: ConditionResult) => Spread | undefined;
  /** A level to compare with, drawn dashed. */
  readonly level?: { readonly name: string; readonly value: number } | undefined;
}

/** Left, top, width and height of the four panels, in pixels of 920 x 700. */
const frames = [
  { left: 64, top: 100, width: 368, height: 218 },
  { left: 520, top: 100, width: 368, height: 218 },
  { left: 64, top: 396, width: 368, height: 218 },
  { left: 520, top: 396, width: 368, height: 218 },
] as const;

/** The study in one figure: mean of every condition as a bar, every seed as a point, and the training's curves. */
export function studySvg(result: StudyResult): string {
  const { conditions } = result;
  const first = conditions[0]?.presets[0]?.preset;
  const levelOf = (part: 'seen' | 'unseen') => {
    const best = result.priors.find(({ preset, classes }) => preset === first && classes === part);
    return best && { name: best.name, value: best.iou };
  };
  const presetOf = ({ presets }: ConditionResult) => presets[0];
  const panels: Panel[] = [
    {
      title: 'IoU, classes that training showed',
      spreadIn: (condition) => presetOf(condition)?.seen.iou,
      level: levelOf('seen'),
    },
    {
      title: `IoU, kept out of training${result.unseenClasses.length > 0 ? `: ${result.unseenClasses.join(', ')}` : ''}`,
      spreadIn: (condition) => presetOf(condition)?.unseen?.iou,
      level: levelOf('unseen'),
    },
    {
      title: 'Fall of IoU when left and right are swapped',
      spreadIn: (condition) => presetOf(condition)?.sideSwap?.drop,
    },
  ];
  const parts = panels.map((panel, i) => panelOf(panel, i, conditions));
  const curves = curvesOf(conditions, panels.length);
  const all = [...parts, curves];
  return renderSvg(
    { title: `${result.dataset}, ${first}: bars are means, points are seeds`, width: 920, height: 700, series: [] },
    {
      grid: frames.map((frame) => ({ ...frame })),
      title: [
        {
          text: `${result.dataset}, ${first}: bars are means, points are seeds`,
          left: 'center',
          top: 10,
          subtext: result.notice,
          subtextStyle: { color: TEXT, fontSize: 11 },
          textStyle: { color: TEXT, fontSize: 16, fontWeight: 600 },
        },
        ...[...panels.map(({ title }) => title), 'Global loss of validation batches, mean'].map((text, i) => ({
          text,
          left: frames[i]?.left,
          top: (frames[i]?.top ?? 0) - 32,
          textStyle: { color: TEXT, fontSize: 13, fontWeight: 600 },
        })),
      ],
      legend: { show: false },
      xAxis: all.map(({ xAxis }) => xAxis),
      yAxis: all.map(({ yAxis }) => yAxis),
      series: all.flatMap(({ series }) => series),
    },
  );
}

function colourOf(i: number): string {
  return PALETTE[i % PALETTE.length] ?? TEXT;
}

/** Axes of a panel and what is drawn in it, as ECharts takes them. */
interface Drawing {
  readonly xAxis: object;
  readonly yAxis: object;
  readonly series: readonly object[];
}

function panelOf({ spreadIn, level }: Panel, index: number, conditions: readonly ConditionResult[]): Drawing {
  // A line per temperature, as narrow bars have little room below.
  const names = conditions.map(({ name }) => name.replaceAll(':', '\n'));
  const axes = { xAxisIndex: index, yAxisIndex: index };
  return {
    xAxis: {
      type: 'category',
      gridIndex: index,
      data: names,
      ...AXIS_STYLE,
      axisLabel: { ...AXIS_STYLE.axisLabel, fontSize: 10, interval: 0 },
    },
    yAxis: { type: 'value', gridIndex: index, ...AXIS_STYLE },
    series: [
      {
        type: 'bar',
        silent: true,
        name: 'mean',
        ...axes,
        barWidth: '56%',
        data: conditions.map((condition, i) => ({
          value: finite(spreadIn(condition)?.mean),
          itemStyle: { color: colourOf(i), opacity: 0.55, borderRadius: [2, 2, 0, 0] },
        })),
        ...(level ? { markLine: levelLine(level) } : {}),
      },
      {
        type: 'scatter',
        silent: true,
        name: 'seeds',
        ...axes,
        symbolSize: 8,
        itemStyle: { borderColor: TEXT, borderWidth: 1 },
        data: conditions.flatMap((condition, i) =>
          (spreadIn(condition)?.values ?? []).map((value) => ({
            value: [i, finite(value)],
            itemStyle: { color: colourOf(i) },
          })),
        ),
      },
    ],
  };
}

function levelLine({ name, value }: { readonly name: string; readonly value: number }) {
  return {
    symbol: 'none',
    lineStyle: { color: TEXT, type: 'dashed', width: 1.2 },
    label: { formatter: name, position: 'insideEndTop', color: TEXT, fontSize: 11 },
    data: [{ yAxis: value }],
  };
}

function curvesOf(conditions: readonly ConditionResult[], index: number): Drawing {
  return {
    xAxis: { type: 'value', gridIndex: index, name: 'step', nameGap: 28, max: 'dataMax', ...AXIS_STYLE },
    yAxis: { type: 'value', gridIndex: index, scale: true, ...AXIS_STYLE },
    series: conditions.flatMap(({ name, curves }, i) => {
      const steps = [...new Set(curves.flatMap(({ points }) => points.map(({ step }) => step)))].sort((a, b) => a - b);
      if (steps.length === 0) return [];
      const meanAt = (step: number) =>
        spreadOf(curves.flatMap(({ points }) => points.find((point) => point.step === step)?.globalLoss ?? [])).mean;
      return [
        {
          type: 'line',
          silent: true,
          name,
          xAxisIndex: index,
          yAxisIndex: index,
          symbol: 'circle',
          symbolSize: 5,
          color: colourOf(i),
          lineStyle: { width: 1.8 },
          data: steps.map((step) => [step, finite(meanAt(step))]),
        },
      ];
    }),
  };
}

function finite(value: number | undefined): number | '-' {
  return value !== undefined && Number.isFinite(value) ? value : '-';
}
