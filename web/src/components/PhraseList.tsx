import { useRef } from 'preact/hooks';
import { addPhrase } from '../session.ts';
import { opened } from '../state.ts';

/** Puts one more phrase beside the others: typed, or one that the sample is known to show. */
export function AddPhrase() {
  const input = useRef<HTMLInputElement>(null);
  const add = (event: Event): void => {
    event.preventDefault();
    const text = input.current?.value.trim() ?? '';
    if (text === '' || !input.current) return;
    input.current.value = '';
    void addPhrase(text);
  };
  const known = opened.value?.known ?? [];
  return (
    <div class="add">
      <form onSubmit={add}>
        <label for="another">Another phrase beside these</label>
        <input id="another" ref={input} type="text" autocomplete="off" spellcheck={false} />
        <button type="submit">Add</button>
      </form>
      {known.length > 0 && (
        <p>
          This sample shows:{' '}
          {known.map(({ phrase }) => (
            <button key={phrase} type="button" class="phrase" onClick={() => void addPhrase(phrase)}>
              {phrase}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
