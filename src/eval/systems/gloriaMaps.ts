/**
 * What a map of GLoRIA shows. `attention`: the model's own over the image; `cosine`: of regions and the whole phrase, as
 * other systems have it.
 */
export const gloriaMaps = ['attention', 'cosine'] as const;
/** The model's own attention over the image, or the cosine of regions and the whole phrase. */
export type GloriaMap = (typeof gloriaMaps)[number];
