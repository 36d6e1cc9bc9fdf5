// Element-wise kernels work on Element: one float per invocation (any size) or four (lib/elementVec4.wgsl).

alias Element = f32;
alias ElementMask = bool;
