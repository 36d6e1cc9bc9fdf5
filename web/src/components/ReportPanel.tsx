import { useComputed, useSignal } from '@preact/signals';
import { selectReportText } from '../../../src/data/text/sections.ts';
import { splitSentences } from '../../../src/data/text/sentences.ts';
import { addPhrase, findSentences } from '../session.ts';
import { model, opened } from '../state.ts';
import { SentenceTable } from './SentenceTable.tsx';

/** A report whose sentences can be looked for. */
export function ReportPanel() {
  const report = useSignal('');
  const sentences = useComputed(() => [
    ...new Set(splitSentences(selectReportText(report.value), model.value?.config.splitter)),
  ]);
  const own = opened.value?.report;
  return (
    <section class="panel" aria-labelledby="report-heading">
      <h3 id="report-heading">Report</h3>
      <div class="field">
        <label for="report">Paste a report; each of its sentences can then be looked for</label>
        <textarea
          id="report"
          rows={5}
          spellcheck={false}
          value={report.value}
          onInput={(event) => {
            report.value = event.currentTarget.value;
          }}
        />
      </div>
      {own !== undefined && own !== report.value && (
        <button
          type="button"
          onClick={() => {
            report.value = own;
          }}
        >
          Take the report of the sample
        </button>
      )}
      {sentences.value.length > 0 && (
        <ol class="sentences" aria-label="Sentences of the report">
          {sentences.value.map((sentence) => (
            <li key={sentence}>
              <button type="button" class="phrase" onClick={() => void addPhrase(sentence)}>
                {sentence}
              </button>
            </li>
          ))}
        </ol>
      )}
      {sentences.value.length > 1 && (
        <button type="button" onClick={() => void findSentences(sentences.value)}>
          Compare all sentences
        </button>
      )}
      <SentenceTable />
    </section>
  );
}
