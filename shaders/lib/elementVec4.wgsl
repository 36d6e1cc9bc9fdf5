// Element-wise kernels work on Element: four floats per invocation, for dense arrays with a multiple of four elements.

alias Element = vec4<f32>;
alias ElementMask = vec4<bool>;
