import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { droppedFiles } from '../folder.ts';
import { openDropped } from '../open.ts';

/** Files may be dropped anywhere; a browser would open them in place of the page. While they are dragged, a frame says so. */
export function DropArea() {
  const dragging = useSignal(false);
  useEffect(() => {
    const over = (event: DragEvent): void => {
      event.preventDefault();
      dragging.value = event.dataTransfer?.types.includes('Files') ?? false;
    };
    const leave = ({ relatedTarget }: DragEvent): void => {
      // Leaving an element for another one of the page has a related target.
      if (relatedTarget === null) dragging.value = false;
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      dragging.value = false;
      const { dataTransfer } = event;
      if (!dataTransfer) return;
      void droppedFiles(dataTransfer).then((files) => {
        if (files.length > 0) void openDropped(files);
      });
    };
    window.addEventListener('dragover', over);
    window.addEventListener('dragleave', leave);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('drop', drop);
    };
  }, []);
  return dragging.value ? (
    <div class="drop" aria-hidden="true">
      <p>Drop an image, a folder, a model, masks or boxes. Nothing leaves this page.</p>
    </div>
  ) : null;
}
