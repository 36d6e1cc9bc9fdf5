import { computed } from '@preact/signals';
import { renderStored } from '../../src/io/dicom/voi.ts';
import { scaleToMap } from './picture.ts';
import { dicomWindow, opened } from './state.ts';

/** The opened image as it is shown: at the size of its maps, and through the window that was chosen. */
export const shownImage = computed(() => {
  const image = opened.value;
  const window = dicomWindow.value;
  if (!image) return undefined;
  const { dicom } = image;
  return scaleToMap(dicom && window ? renderStored(dicom, { ...window, function: 'LINEAR' }) : image.image);
});
