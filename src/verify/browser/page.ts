import { type AdapterSummary, describeAdapter } from '../../gpu/adapter.ts';
import { createGpu } from '../../gpu/create.ts';
import { GpuError } from '../../gpu/errors.ts';
import type { CaseReport, GroupReport } from '../report.ts';
import { runFixtures } from '../runner.ts';
import { fetchSource } from './fetchSource.ts';

/** What to run, as the page gets it. */
export interface PageOptions {
  readonly group?: string | undefined;
  readonly case?: string | undefined;
  readonly requireHardware: boolean;
  /** Nothing runs on another adapter than the browser's SwiftShader. */
  readonly requireSwiftShader: boolean;
}

/** What the page tells while it runs. */
export type PageEvent =
  | { readonly kind: 'adapter'; readonly adapter: AdapterSummary }
  | { readonly kind: 'case'; readonly report: CaseReport }
  | { readonly kind: 'group'; readonly report: GroupReport }
  | { readonly kind: 'error'; readonly message: string };

declare global {
  /** Put there by the process that opened the page. */
  var verifyReport: (event: PageEvent) => Promise<void>;
  var verifyFixtures: (options: PageOptions) => Promise<void>;
}

/** Runs the fixtures that are served beside the page. Reports travel one after the other, in order. */
globalThis.verifyFixtures = async ({ requireHardware, requireSwiftShader, group, case: glob }) => {
  let sent = Promise.resolve();
  const send = (event: PageEvent): void => {
    sent = sent.then(() => globalThis.verifyReport(event));
  };
  try {
    await runFixtures(
      fetchSource(new URL('fixtures/', location.href).href),
      async () => {
        const gpu = await createGpu({ requireHardware });
        if (requireSwiftShader && gpu.adapter.architecture !== 'swiftshader') {
          throw new GpuError(`Expected the browser's SwiftShader, found ${describeAdapter(gpu.adapter)}.`);
        }
        send({ kind: 'adapter', adapter: gpu.adapter });
        return gpu;
      },
      {
        group,
        case: glob,
        onCase: (report) => send({ kind: 'case', report }),
        onGroup: (report) => send({ kind: 'group', report }),
      },
    );
  } catch (error) {
    send({ kind: 'error', message: error instanceof Error ? error.message : String(error) });
  }
  await sent;
};
