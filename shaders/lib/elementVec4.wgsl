// Element-wise kernels work on Element: four floats per invocation, for dense arrays with a multiple of four elements.

alias Element = vec4<f32>;
alias ElementMask = vec4<bool>;
// The same width as untyped bits, for kernels that move elements of any dtype.
alias ElementBits = vec4<u32>;
