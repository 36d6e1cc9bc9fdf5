// Totals of a normalisation go to the gradients of its weight and bias as well. Same interface as
// lib/normNoTargets.wgsl. Expects Element (lib/element*.wgsl).

@group(0) @binding(2) var<storage, read_write> weightGrad: array<Element>;
@group(0) @binding(3) var<storage, read_write> biasGrad: array<Element>;

fn storeGradients(i: u32, weight: Element, bias: Element) {
  weightGrad[i] = weight;
  biasGrad[i] = bias;
}
