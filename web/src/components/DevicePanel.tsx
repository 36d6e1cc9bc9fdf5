import { cards, device } from '../state.ts';

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
  return (
    <details class="panel">
      <summary>Device</summary>
      <dl>
        <dt>Adapter</dt>
        <dd>
          {report.adapter}
          {report.isSoftware && ': computed on the processor, slower than on a graphics card'}
        </dd>
        <dt>Memory</dt>
        <dd>
          {bytes(liveBytes)} in {liveBuffers} buffers, {bytes(pooledBytes)} kept for reuse, {bytes(peakAllocatedBytes)}{' '}
          at most
        </dd>
        <dt>Time of the last answers</dt>
        <dd>{times.join(', ') || 'none yet'}</dd>
        {Object.entries(report.limits).flatMap(([name, limit]) => [
          <dt key={name}>{name}</dt>,
          <dd key={`${name} value`}>{limit.toLocaleString('en')}</dd>,
        ])}
        <dt>Features</dt>
        <dd>{report.features.join(', ') || 'none'}</dd>
      </dl>
    </details>
  );
}
