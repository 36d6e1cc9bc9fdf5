import type { TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import type { OpenedImage } from './images.ts';
import { zoneAt } from './ranking.ts';
import { rankedZone } from './state.ts';
import { dragWindow, type WindowRange, windowRange } from './window.ts';

/** Pixels that a pointer may move in a click. */
const longestClick = 4;

/**
 * A click ranks the sentences of the report by the zone; a drag windows a DICOM image. With the keyboard, the buttons of
 * the table of sentences and the sliders do the same.
 */
export function usePointer({ dicom }: OpenedImage) {
  const begin = useRef<{ x: number; y: number; range: WindowRange | undefined } | undefined>(undefined);
  return {
    onPointerDown: (event: TargetedPointerEvent<HTMLCanvasElement>) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      begin.current = { x: event.offsetX, y: event.offsetY, range: windowRange(dicom) };
    },
    onPointerMove: ({ offsetX, offsetY, currentTarget }: TargetedPointerEvent<HTMLCanvasElement>) => {
      const { current } = begin;
      if (!current?.range || Math.hypot(offsetX - current.x, offsetY - current.y) <= longestClick) return;
      const { clientWidth, clientHeight } = currentTarget;
      dragWindow(current.range, (offsetX - current.x) / clientWidth, (offsetY - current.y) / clientHeight);
    },
    onPointerUp: ({ offsetX, offsetY, currentTarget }: TargetedPointerEvent<HTMLCanvasElement>) => {
      const { current } = begin;
      begin.current = undefined;
      if (!current || Math.hypot(offsetX - current.x, offsetY - current.y) > longestClick) return;
      rankedZone.value = zoneAt(offsetX / currentTarget.clientWidth, offsetY / currentTarget.clientHeight);
    },
    onPointerCancel: () => {
      begin.current = undefined;
    },
  };
}
