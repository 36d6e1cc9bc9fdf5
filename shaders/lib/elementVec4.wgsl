// Element-wise kernels work on Element: four floats per invocation, for dense arrays with a multiple of four elements.

alias Element = vec4<f32>;
alias ElementMask = vec4<bool>;
// The same width as untyped bits, for kernels that move elements of any dtype.
alias ElementBits = vec4<u32>;

// An Element as it lies in binding i, which may be f16 (see `typed` in src/kernels/define.ts).
alias Stored0 = vec4<Scalar0>;
alias Stored1 = vec4<Scalar1>;
alias Stored2 = vec4<Scalar2>;
alias Stored3 = vec4<Scalar3>;
alias Stored4 = vec4<Scalar4>;
alias Stored5 = vec4<Scalar5>;
alias Stored6 = vec4<Scalar6>;
alias Stored7 = vec4<Scalar7>;
