/** The page: buttons, a loss curve, and what training costs this thread. It does not import the engine at all. */
import { FrameIntervals } from './frameIntervals.ts';
import { LongTasks } from './longTasks.ts';
import type { Point, Reply, Request } from './messages.ts';

const steps = 200;

function element<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}

const status = element<HTMLElement>('#status');
const smoothness = element<HTMLElement>('#smoothness');
const batch = element<HTMLInputElement>('#batch');
const curve = element<SVGPolylineElement>('polyline');
const [start, pause, stop] = ['#start', '#pause', '#stop'].map((id) => element<HTMLButtonElement>(id)) as [
  HTMLButtonElement,
  HTMLButtonElement,
  HTMLButtonElement,
];

const tasks = new LongTasks();
const intervals = new FrameIntervals();
let worker: Worker | undefined;
let points: Point[] = [];
let waiting: (() => void) | undefined;

function send(request: Request): void {
  worker?.postMessage(request);
}

/** SVG, since a canvas would wait for the GPU, which is busy with the worker's kernels. */
function drawCurve(): void {
  const top = Math.max(...points.map(({ loss }) => loss));
  const at = ({ step, loss }: Point): string => `${(640 * step) / steps},${240 - (236 * loss) / top}`;
  curve.setAttribute('points', points.map(at).join(' '));
}

function say(text: string, state: string): void {
  status.textContent = text;
  status.dataset.state = state;
}

function setRunning(running: boolean): void {
  start.disabled = running;
  batch.disabled = running;
  pause.disabled = !running;
  stop.disabled = !running;
  pause.textContent = 'Pause';
}

function end(text: string, state: string): void {
  worker?.terminate();
  worker = undefined;
  setRunning(false);
  say(text, state);
}

function receive(reply: Reply): void {
  switch (reply.kind) {
    case 'ready':
      say(`${reply.parameters.toLocaleString('en')} parameters on ${reply.adapter}; compiling`, 'starting');
      break;
    case 'progress': {
      points.push(...reply.points);
      const last = points.at(-1);
      if (last) {
        const { step, loss, accuracy } = last;
        const figures = `loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(0)} %`;
        say(`Step ${step} of ${steps}: ${figures}, ${reply.imagesPerSecond.toFixed(0)} images/s`, 'training');
      }
      // Drawn with the next frame; the worker sends nothing more before that.
      waiting = () => {
        drawCurve();
        send({ kind: 'shown' });
      };
      break;
    }
    case 'paused':
      pause.textContent = 'Resume';
      say(`Paused after step ${reply.step}`, 'paused');
      break;
    case 'ended':
      waiting?.();
      waiting = undefined;
      if (reply.stopped) end(`Stopped after step ${reply.step}`, 'stopped');
      else end(`Trained ${reply.step} steps`, 'trained');
      break;
    case 'failed':
      end(reply.message, 'failed');
      break;
  }
}

start.addEventListener('click', () => {
  points = [];
  worker = new Worker('trainWorker.js', { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Reply>) => tasks.caused(() => receive(data));
  worker.onerror = ({ message }) => end(`The worker failed: ${message}`, 'failed');
  setRunning(true);
  say('Starting', 'starting');
  const batchSize = Math.min(64, Math.max(2, Math.round(Number(batch.value)) || 16));
  batch.value = String(batchSize);
  send({ kind: 'start', steps, batchSize, seed: 0 });
});
pause.addEventListener('click', () => send({ kind: pause.textContent === 'Pause' ? 'pause' : 'resume' }));
stop.addEventListener('click', () => send({ kind: 'stop' }));

/** What frames are counted as; those while training is paused are not shown. */
function doing(): string {
  return worker ? (status.dataset.state ?? '') : 'idle';
}

function showSmoothness(): void {
  const { fromTraining, others } = tasks.report();
  smoothness.textContent = `Tasks of 50 ms and more on this thread: ${fromTraining} from training, ${others} others`;
  Object.assign(smoothness.dataset, { training: fromTraining, others });
  for (const row of document.querySelectorAll<HTMLTableRowElement>('#frames tbody tr')) {
    const summary = intervals.summary(row.id);
    if (!summary) continue;
    const { frames, perSecond, median, percentile95, longest } = summary;
    const times = [median, percentile95, longest].map((time) => `${time.toFixed(0)} ms`);
    const texts = [frames.toFixed(0), perSecond.toFixed(0), ...times];
    row.querySelectorAll('td').forEach((cell, i) => {
      cell.textContent = texts[i] ?? '';
    });
  }
}

setRunning(false);
requestAnimationFrame(function frame(now) {
  intervals.frame(now, doing());
  if (waiting) tasks.caused(waiting);
  waiting = undefined;
  requestAnimationFrame(frame);
});
setInterval(showSmoothness, 500);
