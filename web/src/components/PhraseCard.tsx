import { useEffect, useRef } from 'preact/hooks';
import { swapSides } from '../../../src/eval/probes.ts';
import { negate } from '../phrases.ts';
import { addPhrase, ask, removePhrase } from '../session.ts';
import { announcement, type Card, cards, opened } from '../state.ts';
import { Result } from './Result.tsx';

/** Between the last key and the question. */
const pause = 120;

/** A phrase, its probes and its heat map. */
export function PhraseCard({ card }: { readonly card: Card }) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const id = `phrase-${card.id}`;
  const text = card.text.value;
  const swapped = swapSides(text);
  const answer = card.answer.value;
  const type = (value: string): void => {
    card.text.value = value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void ask(card), pause);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const stale = answer !== undefined && (answer.phrase !== text.trim() || answer.opened !== opened.value);
  return (
    <article class="card" aria-label={`Phrase ${cards.value.indexOf(card) + 1}`}>
      <label for={id}>Phrase</label>
      <input
        id={id}
        type="text"
        value={text}
        autocomplete="off"
        spellcheck={false}
        aria-describedby={`${id}-note`}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <p id={`${id}-note`} class="note">
        {card.note}
      </p>
      <div class="probes">
        {swapped !== undefined && (
          <button type="button" onClick={() => void addPhrase(swapped)}>
            Swap left and right
          </button>
        )}
        {text.trim() !== '' && (
          <button type="button" onClick={() => void addPhrase(negate(text))}>
            {negate(text).startsWith('no ') ? 'Deny it' : 'Assert it'}
          </button>
        )}
        {cards.value.length > 1 && (
          <button
            type="button"
            aria-label={`Remove ${text}`}
            onClick={() => {
              removePhrase(card);
              announcement.value = `Removed ${text}.`;
              // The button that had the focus is gone.
              document.getElementById('another')?.focus();
            }}
          >
            Remove
          </button>
        )}
      </div>
      {answer && (
        <div class={stale ? 'result stale' : 'result'}>
          <Result id={id} answer={answer} />
        </div>
      )}
    </article>
  );
}
