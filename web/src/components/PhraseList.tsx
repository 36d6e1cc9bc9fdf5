import { useRef } from 'preact/hooks';
import { addPhrase } from '../session.ts';
import { knownFindings, truth } from '../truth.ts';

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
  const named = [...new Set(knownFindings.value.flatMap(({ phrase }) => (phrase === undefined ? [] : [phrase])))];
  return (
    <div class="add">
      <form onSubmit={add}>
        <label for="another">Another phrase beside these</label>
        <input id="another" ref={input} type="text" autocomplete="off" spellcheck={false} />
        <button type="submit">Add</button>
      </form>
      {named.length > 0 && (
        <p>
          {truth.value ? 'The ground truth names' : 'This sample shows'}:{' '}
          {named.map((phrase) => (
            <button key={phrase} type="button" class="phrase" onClick={() => void addPhrase(phrase)}>
              {phrase}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
