// Functions that WGSL lacks or gives with too little accuracy or range. Expects Element (lib/element*.wgsl).

// tanh without overflow; the exponential of a negative number can only vanish.
fn stableTanh(x: Element) -> Element {
  let e = exp(-2.0 * abs(x));
  let x2 = min(x * x, Element(1.0));
  // Near zero 1 - e cancels; the series is exact to 1e-7 there.
  let series = x * (1.0 + x2 * (-1.0 / 3.0 + x2 * (2.0 / 15.0 + x2 * (-17.0 / 315.0 + x2 * (62.0 / 2835.0)))));
  return select(sign(x) * (1.0 - e) / (1.0 + e), series, abs(x) < Element(0.25));
}

fn stableSigmoid(x: Element) -> Element {
  let e = exp(-abs(x));
  return select(Element(1.0), e, x < Element(0.0)) / (1.0 + e);
}

// Error function: Maclaurin series below 1, else 1 - erfc by the Chebyshev fit of Numerical Recipes (1.2e-7 relative).
fn errorFunction(x: Element) -> Element {
  let z = abs(x);
  let x2 = min(x * x, Element(1.0));
  let series = 1.1283791670955126 * x * (1.0 + x2 * (-1.0 / 3.0 + x2 * (1.0 / 10.0 + x2 * (-1.0 / 42.0
    + x2 * (1.0 / 216.0 + x2 * (-1.0 / 1320.0 + x2 * (1.0 / 9360.0 + x2 * (-1.0 / 75600.0
    + x2 * (1.0 / 685440.0 + x2 * (-1.0 / 6894720.0))))))))));
  let t = 1.0 / (1.0 + 0.5 * z);
  let fit = t * exp(-z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418
    + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587
    + t * (-0.82215223 + t * 0.17087277)))))))));
  return select(sign(x) * (1.0 - fit), series, z < Element(1.0));
}
