/** Scalar parameters of a kernel, in the order in which the WGSL struct declares them. */
export type ParamSpec = Readonly<Record<string, 'u32' | 'i32' | 'f32'>>;
/** A value for each parameter. */
export type ParamValues<P extends ParamSpec> = { readonly [K in keyof P]: number };

/** Bytes that pass through immediates on every device that has them. */
export const immediateBytes = 64;

export interface ParamLayout {
  readonly fields: readonly (readonly [name: string, type: 'u32' | 'i32' | 'f32'])[];
  readonly bytes: number;
}

export function paramLayout(spec: ParamSpec): ParamLayout {
  const fields = Object.entries(spec);
  return { fields, bytes: fields.length * 4 };
}

/** `struct Params {...}` and its binding: an immediate where the device has them, else a uniform with dynamic offset. */
export function paramDeclaration(layout: ParamLayout, immediate: boolean): string {
  if (layout.fields.length === 0) return '';
  const members = layout.fields.map(([name, type]) => `  ${name}: ${type},`).join('\n');
  const variable = immediate ? 'var<immediate> params: Params;' : '@group(1) @binding(0) var<uniform> params: Params;';
  return `struct Params {\n${members}\n}\n${variable}\n`;
}

/** Parameters that are asked for again whenever a captured dispatch is replayed, e.g. the seed of a dropout mask. */
export type LiveParams = Readonly<Record<string, () => number>>;

/** Writes `values` to `target` at `byteOffset`, little-endian as the GPU reads them. */
export function packParams(
  layout: ParamLayout,
  values: Readonly<Record<string, number>>,
  target: DataView,
  byteOffset: number,
): void {
  for (const [i, [name, type]] of layout.fields.entries()) {
    const value = values[name];
    if (value === undefined) throw new Error(`Kernel parameter ${name} has no value.`);
    writeParam(target, byteOffset + 4 * i, type, value);
  }
}

/** Writes the present values of `live` over what `packParams` wrote. */
export function refreshParams(layout: ParamLayout, live: LiveParams, target: DataView, byteOffset: number): void {
  for (const [i, [name, type]] of layout.fields.entries()) {
    const value = live[name]?.();
    if (value !== undefined) writeParam(target, byteOffset + 4 * i, type, value);
  }
}

function writeParam(target: DataView, offset: number, type: 'u32' | 'i32' | 'f32', value: number): void {
  if (type === 'f32') target.setFloat32(offset, value, true);
  else if (type === 'i32') target.setInt32(offset, value, true);
  else target.setUint32(offset, value, true);
}
