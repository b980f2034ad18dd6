import { useState } from 'preact/hooks';
import type { Catalogue } from '../worker/view.js';
import { figureSvg, figuresJson } from './figure.js';
import { LETTERS } from './link.js';
import type { Run } from './runs.js';

/** What can be taken along: the link, the command line, the trace and the figures. */
export function Share({
  runs,
  active,
  catalogue,
}: {
  runs: readonly Run[];
  active: number;
  catalogue: Catalogue;
}) {
  const [told, setTold] = useState('');
  const run = runs[active];
  const command = run.described?.command ?? '';
  const copy = (text: string, what: string) => {
    copyText(text).then(
      () => setTold(`${what} copied`),
      () => setTold(`the browser refuses to copy: select the text below`),
    );
  };
  const letter = LETTERS[active];
  return (
    <section class="share panel" aria-labelledby="share-title">
      <h2 id="share-title">Take it along</h2>
      <p class="buttons">
        <button type="button" onClick={() => copy(location.href, 'link')}>
          Copy link
        </button>
        <button type="button" disabled={command === ''} onClick={() => copy(command, 'command')}>
          Copy as command
        </button>
        <button
          type="button"
          disabled={run.outcome === null}
          onClick={() => download(`trace-${letter}.jsonl`, run.outcome!.trace, 'application/jsonl')}
        >
          Download trace
        </button>
        <button
          type="button"
          disabled={run.outcome === null}
          onClick={() => download('explorer.svg', figureSvg(runs, catalogue), 'image/svg+xml')}
        >
          Download figure
        </button>
        <button
          type="button"
          disabled={run.outcome === null}
          onClick={() => download('explorer.json', figuresJson(runs), 'application/json')}
        >
          Download numbers
        </button>
        <span role="status">{told}</span>
      </p>
      <p>
        <code class="command">{command}</code>
      </p>
      <p class="quiet">
        The command decodes the same tokens and prints the same simulated seconds. Simulated times are
        predictions of a model: <code>simulate validate</code> says how far they are off from published
        measurements.
      </p>
    </section>
  );
}

/** The clipboard is only there on secure pages; an old way works from a disk. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    try {
      return await navigator.clipboard.writeText(text);
    } catch {
      // Refused: the other way may not be.
    }
  }
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (!copied) throw new Error('refused');
}

function download(name: string, text: string, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
