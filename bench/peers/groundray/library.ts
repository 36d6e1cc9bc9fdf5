import { Tensor } from '../../../src/autograd/tensor.ts';
import type { Captured } from '../../../src/gpu/capture.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { contiguous } from '../../../src/kernels/copy.ts';
import type { NDArray } from '../../../src/kernels/ndarray.ts';
import type { Library, Prepared } from '../library.ts';
import { Unsupported } from '../library.ts';
import type { WorkloadName } from '../workloads.ts';
import { models } from './models.ts';
import { operations } from './operations.ts';
import type { Work, WorkOf } from './work.ts';

const table: Readonly<Partial<Record<WorkloadName, WorkOf>>> = { ...operations, ...models };

async function read(array: NDArray): Promise<ArrayLike<number>> {
  return new Tensor(array.isDense ? array : contiguous(array)).data();
}

/** One workload, either recorded by its JavaScript every time or replayed. */
class GroundrayWork implements Prepared {
  readonly note: string;
  private readonly gpu: Gpu;
  private readonly work: Work;
  private readonly replayed: boolean;
  private captured: Captured<Readonly<Record<string, NDArray>>> | undefined;
  private latest: Readonly<Record<string, NDArray>> = {};

  constructor(gpu: Gpu, work: Work, replayed: boolean) {
    this.gpu = gpu;
    this.work = work;
    this.replayed = replayed;
    this.note = replayed ? 'captured once, replayed' : 'eager';
  }

  run(): void {
    const { gpu, work, captured } = this;
    work.advance?.();
    if (captured) captured.run();
    else if (this.replayed) {
      this.captured = gpu.capture(work.record);
      this.latest = this.captured.result;
    } else {
      for (const array of Object.values(this.latest)) array.dispose();
      this.latest = gpu.scope(work.record);
    }
  }

  sync(): Promise<void> {
    return this.gpu.finish();
  }

  async results(): Promise<Record<string, ArrayLike<number>>> {
    const all: Record<string, ArrayLike<number>> = {};
    for (const [name, array] of Object.entries(this.latest)) all[name] = await read(array);
    return all;
  }

  dispose(): void {
    if (this.captured) this.captured.dispose();
    else for (const array of Object.values(this.latest)) array.dispose();
    for (const item of this.work.owned) item.dispose();
  }
}

export function groundray(gpu: Gpu, replayed: boolean): Library {
  return {
    adapter: gpu.adapter,
    prepare: async (workload, inputs) => {
      const workOf = table[workload];
      if (!workOf) throw new Unsupported('This workload was not written for groundray.');
      return new GroundrayWork(gpu, workOf(gpu, inputs), replayed);
    },
  };
}
