/** Values of `groundray evaluate --format`. */
export const tableFormats = ['markdown', 'json', 'latex', 'all'] as const;
export type TableFormat = (typeof tableFormats)[number];
