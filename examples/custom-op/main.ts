/** A small network with `snake` learns a wave from its middle, and goes on with it where nothing was shown. */
import { backward, createGpu, mean, noGrad, square, sub, type Tensor, tensor } from 'groundray';
import { adam, Linear, Module, ParameterArena } from 'groundray/nn';
import { snake } from './snake.ts';

class WaveNet extends Module {
  readonly inner = new Linear(1, 64);
  readonly outer = new Linear(64, 1);

  /** `[n, 1]` to `[n, 1]` */
  forward(x: Tensor): Tensor {
    return this.outer.forward(snake(this.inner.forward(x), 3));
  }
}

const steps = 300;
const wave = (x: number): number => Math.sin(3 * x);
const points = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

function draw(canvas: HTMLCanvasElement, xs: readonly number[], ys: ArrayLike<number>, color: string): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.beginPath();
  for (const [i, x] of xs.entries()) {
    context.lineTo(((x + 4) / 8) * canvas.width, (0.5 - (ys[i] ?? 0) / 3) * canvas.height);
  }
  context.stroke();
}

async function run(status: HTMLElement, canvas: HTMLCanvasElement): Promise<void> {
  const gpu = await createGpu();
  const net = new WaveNet();
  const arena = new ParameterArena(gpu, net, { seed: 1 });
  const optimizer = adam(arena);
  const shown = points(-2, 2, 128);
  const x = tensor(gpu, shown, [128, 1]);
  const target = tensor(gpu, shown.map(wave), [128, 1]);
  const everywhere = points(-4, 4, 400);
  const grid = tensor(gpu, everywhere, [400, 1]);
  for (let step = 0; step <= steps; step++) {
    const isShown = step % 25 === 0;
    const { loss, y } = gpu.scope(() => {
      arena.zeroGrad();
      const loss = mean(square(sub(net.forward(x), target)), null);
      backward([loss]);
      optimizer.step({ learningRate: 1e-2 });
      return { loss, y: isShown ? noGrad(() => net.forward(grid)) : undefined };
    });
    if (y) {
      const curve = await y.data();
      canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
      draw(canvas, everywhere, everywhere.map(wave), '#bbb');
      draw(canvas, everywhere, curve, '#0a6');
      status.textContent = `Step ${step} of ${steps}: mean square error ${(await loss.item()).toFixed(5)} from -2 to 2`;
      y.dispose();
    }
    loss.dispose();
    await gpu.flush();
  }
  status.dataset.done = 'true';
  gpu.dispose();
}

const [status, canvas] = [document.querySelector<HTMLElement>('#status'), document.querySelector('canvas')];
if (status && canvas) {
  run(status, canvas).catch((error: unknown) => {
    status.textContent = error instanceof Error ? error.message : String(error);
  });
}
