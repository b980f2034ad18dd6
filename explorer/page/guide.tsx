import { GUIDES } from './guides.js';

/** Three lessons, one open at a time. */
export function GuideStrip({ open, onOpen }: { open: number | null; onOpen(guide: number): void }) {
  const guide = open === null ? null : GUIDES[open];
  return (
    <nav class="guide" aria-label="three lessons">
      <div class="guide-tabs">
        {GUIDES.map(({ title }, at) => (
          <button type="button" key={title} aria-pressed={at === open} onClick={() => onOpen(at)}>
            <span aria-hidden="true">{at + 1}</span> {title}
          </button>
        ))}
      </div>
      {guide === null || guide === undefined ? (
        <p>
          Three lessons of a minute each: what makes a diffusion language model fast on a phone, and what
          holds it up.
        </p>
      ) : (
        <div class="lesson">
          <p>
            <b>{guide.idea}</b>
          </p>
          <ol>
            {guide.look.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ol>
        </div>
      )}
    </nav>
  );
}
