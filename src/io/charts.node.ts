import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** One line of a chart; `x` and `y` have the same length. NaN and infinite values leave a gap. */
export interface LineSeries {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

export interface LineChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly LineSeries[];
  /** Logarithmic y axis (base 10); values <= 0 are left out. Default false. */
  readonly logY?: boolean;
  /** Pixels; default 760 x 380. */
  readonly width?: number;
  readonly height?: number;
}

/** One group of bars; `values` has an entry per category, NaN where there is none. */
export interface BarSeries {
  readonly name: string;
  readonly values: readonly number[];
}

export interface BarChartOptions {
  readonly title: string;
  readonly yLabel: string;
  readonly categories: readonly string[];
  readonly series: readonly BarSeries[];
  readonly width?: number;
  readonly height?: number;
}

/** Okabe and Ito's palette, which stays distinguishable with colour-vision deficiencies. */
export const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00', '#7f7f7f', '#b8a800'];

// ECharts writes fixed colours. These two stand-ins are replaced by `currentColor`, so that text and grid lines follow
// the light or dark scheme of the page or viewer without a script.
export const TEXT = '#010203';
const GRID = '#040506';

/** Axes in the colours of the page. */
export const AXIS_STYLE = {
  nameLocation: 'middle',
  nameTextStyle: { color: TEXT, fontSize: 12 },
  axisLabel: { color: TEXT, fontSize: 11 },
  axisLine: { lineStyle: { color: GRID } },
  axisTick: { lineStyle: { color: GRID } },
  splitLine: { lineStyle: { color: GRID } },
} as const;

/**
 * Draws lines over a numeric axis as a self-contained SVG document (no DOM, no script, no fonts or links from outside).
 *
 * @throws RangeError when a series has a different number of x and y values.
 */
export function lineChartSvg(options: LineChartOptions): string {
  for (const series of options.series) {
    if (series.x.length !== series.y.length) {
      throw new RangeError(
        `Series "${series.name}" of chart "${options.title}" has ${series.x.length} x but ${series.y.length} y values.`,
      );
    }
  }
  return renderSvg(options, {
    xAxis: { type: 'value', name: options.xLabel, nameGap: 28, scale: true, ...AXIS_STYLE },
    yAxis: { type: options.logY ? 'log' : 'value', name: options.yLabel, nameGap: 48, scale: true, ...AXIS_STYLE },
    series: options.series.map((series) => ({
      type: 'line',
      name: series.name,
      data: points(series, options.logY === true),
      symbol: series.x.length < 2 ? 'circle' : 'none',
      lineStyle: { width: 1.8 },
      // A run has tens of thousands of steps and the chart some 700 pixels: largest-triangle-three-buckets keeps spikes.
      sampling: 'lttb',
    })),
  });
}

/** Draws grouped vertical bars per category as a self-contained SVG document. */
export function barChartSvg(options: BarChartOptions): string {
  for (const series of options.series) {
    if (series.values.length !== options.categories.length) {
      throw new RangeError(
        `Series "${series.name}" of chart "${options.title}" has ${series.values.length} values for ${options.categories.length} categories.`,
      );
    }
  }
  return renderSvg(options, {
    xAxis: {
      type: 'category',
      data: options.categories,
      ...AXIS_STYLE,
      axisLabel: { ...AXIS_STYLE.axisLabel, interval: 0, width: 90, overflow: 'break' },
    },
    yAxis: { type: 'value', name: options.yLabel, nameGap: 42, ...AXIS_STYLE },
    series: options.series.map((series) => ({
      type: 'bar',
      name: series.name,
      data: series.values.map((value) => (Number.isFinite(value) ? value : '-')),
      barGap: '8%',
      barCategoryGap: '28%',
      itemStyle: { borderRadius: [2, 2, 0, 0] },
    })),
  });
}

function points(series: LineSeries, logarithmic: boolean): (number | '-')[][] {
  return Array.from({ length: series.x.length }, (_, i) => {
    const y = series.y[i] ?? Number.NaN;
    return [series.x[i] ?? 0, Number.isFinite(y) && (!logarithmic || y > 0) ? y : '-'];
  });
}

/** Draws any chart whose kind is registered with ECharts (`use`) in the style of the others, as a self-contained SVG. */
export function renderSvg(
  frame: { title: string; width?: number; height?: number; series: readonly { name: string }[] },
  option: EChartsCoreOption,
): string {
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: frame.width ?? 760,
    height: frame.height ?? 380,
  });
  try {
    chart.setOption({
      animation: false,
      color: PALETTE,
      // Single quotes: the renderer puts this into an attribute without escaping it.
      textStyle: { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif" },
      title: { text: frame.title, left: 'center', top: 8, textStyle: { color: TEXT, fontSize: 15, fontWeight: 600 } },
      legend: {
        show: frame.series.length > 1,
        top: 36,
        textStyle: { color: TEXT },
        icon: 'roundRect',
        itemHeight: 4,
        itemGap: 26,
      },
      grid: { left: 68, right: 24, top: frame.series.length > 1 ? 72 : 48, bottom: 52 },
      ...option,
    });
    return followColorScheme(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

function followColorScheme(svg: string): string {
  const style =
    '<style>.groundray-chart{color:#1f2933}' +
    '@media (prefers-color-scheme:dark){.groundray-chart{color:#d7dde3}}</style>';
  return svg
    .replaceAll(`stroke="${GRID}"`, 'stroke="currentColor" stroke-opacity="0.18"')
    .replaceAll(TEXT, 'currentColor')
    .replaceAll(GRID, 'currentColor')
    .replace(/<svg /, '<svg class="groundray-chart" ')
    .replace(/>/, `>${style}`);
}
