import { cards, device } from '../state.ts';
import { BenchmarkSection } from './BenchmarkSection.tsx';
import { TraceSection } from './TraceSection.tsx';

function bytes(count: number): string {
  return count >= 2 ** 20 ? `${(count / 2 ** 20).toFixed(1)} MiB` : `${(count / 1024).toFixed(1)} KiB`;
}

/** What computes, and what it holds. */
export function DevicePanel() {
  const report = device.value;
  if (!report) return null;
  const { liveBytes, liveBuffers, pooledBytes, peakAllocatedBytes } = report.memory;
  const answers = cards.value.map(({ answer }) => answer.value);
  const times = answers.flatMap((answer) => (answer ? [`${Math.round(answer.milliseconds)} ms`] : []));
  const facts: readonly (readonly [string, string])[] = [
    [
      'Adapter',
      report.isSoftware
        ? `${report.adapter}: computed on the processor, slower than on a graphics card`
        : report.adapter,
    ],
    [
      'Memory',
      `${bytes(liveBytes)} in ${liveBuffers} buffers, ${bytes(pooledBytes)} kept for reuse, ${bytes(peakAllocatedBytes)} at most`,
    ],
    ['Time of the last answers', times.join(', ') || 'none yet'],
    ['Features', report.features.join(', ') || 'none'],
    ...Object.entries(report.limits).map(([name, limit]) => [name, limit.toLocaleString('en')] as const),
  ];
  return (
    <details class="panel">
      <summary>Device</summary>
      <dl class="wide">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <TraceSection hasTimestamps={report.features.includes('timestamp-query')} />
      <BenchmarkSection />
    </details>
  );
}
