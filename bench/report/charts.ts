import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkPointComponent } from 'echarts/components';
import { use } from 'echarts/core';
import { AXIS_STYLE, PALETTE, renderSvg, TEXT } from '../../src/io/charts.node.ts';
import type { Roofline } from '../measure/roofline.ts';

use([BarChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkPointComponent]);

/** A point of the roofline plot. */
export interface RooflinePoint {
  readonly group: string;
  /** Operations per byte. */
  readonly intensity: number;
  readonly gflops: number;
}

const logAxis = {
  type: 'log',
  ...AXIS_STYLE,
  // Powers of ten are not exact in floating point.
  axisLabel: { ...AXIS_STYLE.axisLabel, formatter: (value: number) => String(Number(value.toPrecision(1))) },
} as const;
/** Cases with fewer operations per byte do not compute: copies and the like. */
const leastIntensity = 0.01;
const powerOfTen = (value: number, round: (x: number) => number): number => 10 ** round(Math.log10(value));

/** Operations per second over operations per byte, below the roof that the micro-kernels measured. */
export function rooflineSvg(cases: readonly RooflinePoint[], { gflops, gigabytesPerSecond }: Roofline): string {
  const points = cases.filter(({ intensity }) => intensity >= leastIntensity);
  const intensities = points.map(({ intensity }) => intensity);
  const rates = points.map((point) => point.gflops);
  const [left, right] = [
    powerOfTen(Math.min(...intensities), Math.floor),
    powerOfTen(Math.max(...intensities, gflops / gigabytesPerSecond), Math.ceil),
  ];
  const ridge = gflops / gigabytesPerSecond;
  const groups = [...new Set(points.map(({ group }) => group))];
  const roof = {
    type: 'line',
    name: 'roof',
    symbol: 'none',
    silent: true,
    lineStyle: { color: TEXT, width: 1.5, opacity: 0.75 },
    itemStyle: { color: TEXT },
    data: [
      [left, left * gigabytesPerSecond],
      [ridge, gflops],
      [right, gflops],
    ],
    markPoint: {
      symbol: 'circle',
      symbolSize: 1,
      label: { color: TEXT, fontSize: 11, position: 'top', distance: 6 },
      data: [
        { coord: [Math.sqrt(ridge * right), gflops], label: { formatter: `${gflops.toFixed(0)} GFLOP/s` } },
        {
          coord: [Math.sqrt(left * ridge), Math.sqrt(left * ridge) * gigabytesPerSecond],
          label: { formatter: `${gigabytesPerSecond.toFixed(1)} GB/s`, position: 'left' },
        },
      ],
    },
  };
  const title = {
    title: 'Roofline',
    width: 960,
    height: 520,
    series: [{ name: 'roof' }, ...groups.map((name) => ({ name }))],
  };
  return renderSvg(title, {
    legend: {
      top: 36,
      textStyle: { color: TEXT },
      itemGap: 16,
      itemHeight: 8,
      itemWidth: 8,
      icon: 'circle',
      data: groups,
    },
    grid: { left: 68, right: 32, top: 84, bottom: 52 },
    xAxis: { ...logAxis, name: 'operations per byte', nameGap: 30, min: left, max: right },
    yAxis: {
      ...logAxis,
      name: 'GFLOP/s',
      nameGap: 48,
      min: powerOfTen(Math.min(...rates), Math.floor),
      max: powerOfTen(Math.max(...rates, gflops), Math.ceil),
    },
    series: [
      roof,
      ...groups.map((group, i) => ({
        type: 'scatter',
        name: group,
        symbolSize: 8,
        itemStyle: { opacity: 0.8, color: PALETTE[i % PALETTE.length] },
        data: points.filter((point) => point.group === group).map((point) => [point.intensity, point.gflops]),
      })),
    ],
  });
}

/** Horizontal bars of a single series, the first category on top. */
export function barsSvg(
  title: string,
  axisName: string,
  bars: readonly { readonly name: string; readonly value: number; readonly label: string }[],
): string {
  const fromBottom = bars.toReversed();
  return renderSvg(
    { title, width: 960, height: 90 + 26 * bars.length, series: [{ name: axisName }] },
    {
      grid: { left: 150, right: 60, top: 48, bottom: 48 },
      xAxis: { type: 'value', name: axisName, nameGap: 28, ...AXIS_STYLE },
      yAxis: {
        type: 'category',
        data: fromBottom.map(({ name }) => name),
        ...AXIS_STYLE,
        axisTick: { show: false },
      },
      series: [
        {
          type: 'bar',
          name: axisName,
          barWidth: 14,
          itemStyle: { color: PALETTE[0], borderRadius: [0, 3, 3, 0] },
          label: { show: true, position: 'right', color: TEXT, fontSize: 11 },
          data: fromBottom.map(({ value, label }) => ({ value, label: { formatter: label } })),
        },
      ],
    },
  );
}

/** One horizontal bar per row, stacked from shares in per cent. */
export function sharesSvg(
  title: string,
  rows: readonly string[],
  series: readonly { readonly name: string; readonly shares: readonly number[] }[],
): string {
  const last = series.length - 1;
  return renderSvg(
    { title, width: 960, height: 132 + 44 * rows.length, series },
    {
      legend: { top: 36, textStyle: { color: TEXT }, itemGap: 14, itemHeight: 8, itemWidth: 14 },
      grid: { left: 290, right: 32, top: 84, bottom: 48 },
      xAxis: { type: 'value', name: '% of GPU time', nameGap: 28, max: 100, ...AXIS_STYLE },
      yAxis: {
        type: 'category',
        data: rows,
        inverse: true,
        ...AXIS_STYLE,
        axisLabel: { ...AXIS_STYLE.axisLabel, width: 260, overflow: 'break' },
        axisTick: { show: false },
      },
      series: series.map(({ name, shares }, i) => ({
        type: 'bar',
        name,
        stack: 'time',
        barWidth: 22,
        itemStyle: { color: i === last ? '#9aa4ae' : PALETTE[i % PALETTE.length] },
        label: { show: true, color: '#ffffff', fontSize: 11 },
        data: shares.map((share) => ({
          value: 100 * share,
          label: { formatter: share >= 0.04 ? `${(100 * share).toFixed(0)}` : '' },
        })),
      })),
    },
  );
}
