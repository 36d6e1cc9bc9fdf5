// Totals of a normalisation go nowhere else. Same interface as lib/normTargets.wgsl.

fn storeGradients(i: u32, weight: Element, bias: Element) {}
