// Element-wise kernels work on Element: one float per invocation (any size) or four (lib/elementVec4.wgsl).

alias Element = f32;
alias ElementMask = bool;
// The same width as untyped bits, for kernels that move elements of any dtype.
alias ElementBits = u32;

// An Element as it lies in binding i, which may be f16 (see `typed` in src/kernels/define.ts).
alias Stored0 = Scalar0;
alias Stored1 = Scalar1;
alias Stored2 = Scalar2;
alias Stored3 = Scalar3;
alias Stored4 = Scalar4;
alias Stored5 = Scalar5;
alias Stored6 = Scalar6;
alias Stored7 = Scalar7;
