import { useEffect } from 'preact/hooks';
import { RESEARCH_NOTICE } from '../../../src/eval/notice.ts';
import { droppedFiles } from '../folder.ts';
import { openDropped } from '../open.ts';
import { announcement, cards, phase } from '../state.ts';
import { BatchPanel } from './BatchPanel.tsx';
import { DevicePanel } from './DevicePanel.tsx';
import { OpenPanel } from './OpenPanel.tsx';
import { PhraseCard } from './PhraseCard.tsx';
import { AddPhrase } from './PhraseList.tsx';
import { ReportPanel } from './ReportPanel.tsx';
import { StatusLine, Stopped } from './Status.tsx';
import { TrainPanel } from './TrainPanel.tsx';
import { TruthPanel } from './TruthPanel.tsx';
import { ViewPanel } from './ViewPanel.tsx';

/** Files may be dropped anywhere; a browser would open them in place of the page. */
function useDrop(): void {
  useEffect(() => {
    const allow = (event: DragEvent): void => event.preventDefault();
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      const { dataTransfer } = event;
      if (!dataTransfer) return;
      void droppedFiles(dataTransfer).then((files) => {
        if (files.length > 0) void openDropped(files);
      });
    };
    window.addEventListener('dragover', allow);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragover', allow);
      window.removeEventListener('drop', drop);
    };
  }, []);
}

export function App() {
  useDrop();
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
                <DevicePanel />
              </div>
            </div>
          </>
        )}
        <p class="hidden" role="status" aria-live="polite">
          {announcement}
        </p>
      </main>
      <footer>
        <p>
          <strong>{RESEARCH_NOTICE}</strong> Nothing leaves this page: all is computed in your browser.
        </p>
      </footer>
    </div>
  );
}
