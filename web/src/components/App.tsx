import { RESEARCH_NOTICE } from '../../../src/eval/notice.ts';
import { announcement, cards, phase } from '../state.ts';
import { BatchPanel } from './BatchPanel.tsx';
import { DevicePanel } from './DevicePanel.tsx';
import { DropArea } from './DropArea.tsx';
import { OpenPanel } from './OpenPanel.tsx';
import { PhraseCard } from './PhraseCard.tsx';
import { AddPhrase } from './PhraseList.tsx';
import { ReportPanel } from './ReportPanel.tsx';
import { StatusLine, Stopped } from './Status.tsx';
import { TrainPanel } from './TrainPanel.tsx';
import { TruthPanel } from './TruthPanel.tsx';
import { ViewPanel } from './ViewPanel.tsx';

export function App() {
  const stopped = phase.value.kind === 'stopped';
  return (
    <div class="page">
      <header>
        <h1>groundray</h1>
        <p>Type a phrase, and see where a model finds it in a chest radiograph.</p>
      </header>
      <main>
        {stopped ? (
          <Stopped />
        ) : (
          <>
            <StatusLine />
            <div class="workspace">
              <section aria-labelledby="phrases-heading">
                <h2 id="phrases-heading">Phrases</h2>
                <div class="cards">
                  {cards.value.map((card) => (
                    <PhraseCard key={card.id} card={card} />
                  ))}
                </div>
                <AddPhrase />
                <ReportPanel />
              </section>
              <div class="tools">
                <OpenPanel />
                <TruthPanel />
                <ViewPanel />
                <BatchPanel />
                <TrainPanel />
              </div>
            </div>
            <DevicePanel />
          </>
        )}
        <p class="hidden" role="status" aria-live="polite">
          {announcement}
        </p>
      </main>
      <DropArea />
      <footer>
        <p>
          <strong>{RESEARCH_NOTICE}</strong> Nothing leaves this page: all is computed in your browser.
        </p>
      </footer>
    </div>
  );
}
