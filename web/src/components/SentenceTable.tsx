import { ZONES } from '../ranking.ts';
import { addPhrase } from '../session.ts';
import { foundSentences, model, rankedZone } from '../state.ts';

/** Sentences of the report against zones of the image; ranked by one zone when its name, or the picture there, is clicked. */
export function SentenceTable() {
  const found = foundSentences.value;
  if (!found) return null;
  const zone = rankedZone.value;
  const rows = zone ? [...found.rows].sort((a, b) => b.peaks[zone] - a.peaks[zone]) : found.rows;
  const largest = Math.max(...rows.flatMap(({ peaks }) => ZONES.map((name) => peaks[name])));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard.
    <section class="scroll" aria-label="Sentences by zones of the image" tabIndex={0}>
      <table>
        <caption>
          Largest cosine of each sentence in each zone of {found.opened.name}, as it lies on the screen.{' '}
          {zone ? `Ranked by the ${zone}.` : 'A click on a zone, or into a picture, ranks the sentences.'}{' '}
          {model.value?.untrained}
        </caption>
        <thead>
          <tr>
            <th scope="col">Sentence</th>
            {ZONES.map((name) => (
              <th key={name} scope="col" aria-sort={name === zone ? 'descending' : 'none'}>
                <button
                  type="button"
                  onClick={() => {
                    rankedZone.value = name === zone ? undefined : name;
                  }}
                >
                  {name}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ sentence, peaks }) => (
            <tr key={sentence}>
              <th scope="row">
                <button type="button" class="phrase" onClick={() => void addPhrase(sentence)}>
                  {sentence}
                </button>
              </th>
              {ZONES.map((name) => (
                <td key={name} class={peaks[name] === largest ? 'largest' : ''}>
                  {peaks[name].toFixed(2)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
