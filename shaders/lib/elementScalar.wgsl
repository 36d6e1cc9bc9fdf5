// Element-wise kernels work on Element: one float per invocation (any size) or four (lib/elementVec4.wgsl).

alias Element = f32;
alias ElementMask = bool;
// The same width as untyped bits, for kernels that move elements of any dtype.
alias ElementBits = u32;
