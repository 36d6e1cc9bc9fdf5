import { restart } from '../session.ts';
import { notice, phase, problem } from '../state.ts';

/** What the page is doing, and what went wrong last. */
export function StatusLine() {
  const { value } = phase;
  return (
    <div class="status">
      {value.kind === 'busy' && <p role="status">{value.what} …</p>}
      {value.kind === 'lost' && (
        <p role="status">The GPU was lost ({value.reason || 'no reason given'}). Starting it again …</p>
      )}
      <div role="status">{notice.value !== '' && <p class="problem">{notice}</p>}</div>
      <div role="alert">{problem.value !== '' && <p class="problem">{problem}</p>}</div>
    </div>
  );
}

/** In place of everything else where the model cannot run. */
export function Stopped() {
  const { value } = phase;
  if (value.kind !== 'stopped') return null;
  return (
    <section class="stopped" role="alert">
      <h2>The model cannot run here</h2>
      <p class="problem">{value.message}</p>
      {value.again ? (
        <p>
          Close other pages that use the GPU, then{' '}
          <button type="button" onClick={() => void restart()}>
            try again
          </button>
        </p>
      ) : (
        <p>
          This page computes with WebGPU, on your own machine. It runs in current versions of Chrome and Edge, in Safari
          26 and in Firefox on Windows and macOS; some need it switched on in their settings, and the page has to be
          opened from localhost or over HTTPS.
        </p>
      )}
    </section>
  );
}
