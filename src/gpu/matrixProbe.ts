import { subgroupMatrixFeature } from './adapter.ts';

// No kernel, and so not in shaders/: it only asks the compiler and the driver whether they mean what the adapter says.
const probe = `
enable f16;
enable chromium_experimental_subgroup_matrix;
alias Left = subgroup_matrix_left<f16, 16, 16>;
alias Right = subgroup_matrix_right<f16, 16, 16>;
var<workgroup> operands: array<f16, 256>;
var<workgroup> products: array<f32, 256>;
@group(0) @binding(0) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) local: u32) {
  for (var i = local; i < 256u; i += 32u) {
    operands[i] = f16(f32(i % 16u) - f32(i / 16u));
  }
  workgroupBarrier();
  let left = subgroupMatrixLoad<Left, row_major>(&operands, 0u, 16u);
  let right = subgroupMatrixLoad<Right, col_major>(&operands, 0u, 16u);
  var sum: subgroup_matrix_result<f32, 16, 16>;
  sum = subgroupMatrixMultiplyAccumulate(left, right, sum);
  subgroupMatrixStore<row_major>(&products, 0u, sum, 16u);
  workgroupBarrier();
  for (var i = local; i < 256u; i += 32u) {
    result[i] = products[i];
  }
}`;

/** Element of the matrix with `column - row` at every place, times its transpose. */
function expected(row: number, column: number): number {
  let sum = 0;
  for (let k = 0; k < 16; k++) sum += (k - row) * (k - column);
  return sum;
}

/**
 * Whether a device multiplies 16 x 16 matrices of f16 as WGSL's experimental subgroup matrices say. Their syntax still
 * changes and drivers differ, so a small product decides; without it everything runs on the other kernels.
 */
export async function multipliesMatrices(device: GPUDevice): Promise<boolean> {
  if (!device.features.has(subgroupMatrixFeature)) return false;
  const bytes = 256 * 4;
  const [made, staging] = [
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  ].map((usage) => device.createBuffer({ size: bytes, usage })) as [GPUBuffer, GPUBuffer];
  device.pushErrorScope('validation');
  try {
    const module = device.createShaderModule({ label: 'matrix probe', code: probe });
    const compute = { module, entryPoint: 'main' };
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const entries = [{ binding: 0, resource: { buffer: made } }];
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(made, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const values = new Float32Array(staging.getMappedRange());
    return values.every((value, i) => value === expected(Math.floor(i / 16), i % 16));
  } catch {
    return false;
  } finally {
    await device.popErrorScope();
    made.destroy();
    staging.destroy();
  }
}
