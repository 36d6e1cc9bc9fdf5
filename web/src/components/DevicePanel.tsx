import { describeAdapter } from '../../../src/gpu/adapter.ts';
import { currentEngine } from '../session.ts';
import { cards, phase } from '../state.ts';

const shownLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
] as const;

function bytes(count: number): string {
  return count >= 2 ** 20 ? `${(count / 2 ** 20).toFixed(1)} MiB` : `${(count / 1024).toFixed(1)} KiB`;
}

/** What computes, and what it holds. */
export function DevicePanel() {
  const answers = cards.value.map(({ answer }) => answer.value);
  const engine = phase.value.kind === 'ready' ? currentEngine() : undefined;
  if (!engine) return null;
  const { device, adapter } = engine.gpu;
  const { liveBytes, liveBuffers, pooledBytes, peakAllocatedBytes } = engine.gpu.memoryReport();
  const times = answers.flatMap((answer) => (answer ? [`${Math.round(answer.milliseconds)} ms`] : []));
  return (
    <details class="panel">
      <summary>Device</summary>
      <dl>
        <dt>Adapter</dt>
        <dd>
          {describeAdapter(adapter)}
          {adapter.kind === 'software' && ': computed on the processor, slower than on a graphics card'}
        </dd>
        <dt>Memory</dt>
        <dd>
          {bytes(liveBytes)} in {liveBuffers} buffers, {bytes(pooledBytes)} kept for reuse, {bytes(peakAllocatedBytes)}{' '}
          at most
        </dd>
        <dt>Time of the last answers</dt>
        <dd>{times.join(', ') || 'none yet'}</dd>
        {shownLimits.flatMap((name) => [
          <dt key={name}>{name}</dt>,
          <dd key={`${name} value`}>{device.limits[name].toLocaleString('en')}</dd>,
        ])}
        <dt>Features</dt>
        <dd>{[...device.features].sort().join(', ') || 'none'}</dd>
      </dl>
    </details>
  );
}
