import { END_SIGN } from '../../src/decode/trace/end-sign.js';
import { carpetFigure, STATE_COLORS, STATE_NAMES } from '../figures/carpet.js';
import { ladderFigure } from '../figures/ladder.js';
import { drawFigure } from '../figures/render.js';
import { timelineFigure } from '../figures/timeline.js';
import { chipWords } from '../figures/words.js';
import { formatCount } from '../studies/ladder/format.js';
import type { AblationSummary } from '../studies/ladder/types.js';
import { CLIENT_SCRIPT } from './client-script.js';
import { embedJson, Html, html, inlineSvg } from './html.js';
import { STYLE_SHEET } from './style-sheet.js';
import {
  exactnessTable,
  identityList,
  ladderTable,
  laneTable,
  provenanceTable,
  taskTable,
  utilizationTable,
} from './tables.js';

/**
 * The report: one HTML file that needs nothing but itself. Same summary, same bytes.
 */
export async function renderReport(summary: AblationSummary): Promise<string> {
  const { model, costModel, profile, prompts } = summary;
  const ladder = inlineSvg(
    (await drawFigure(ladderFigure(summary))).svg,
    'ladder',
    'Latency of each row beside the paper',
  );
  const tasks = taskTable(summary);
  const sections: readonly (Html | null)[] = [
    section('ladder', 'The ladder', [
      html`<figure><div class="plate">${ladder}</div><figcaption>Seconds for one answer${prompts.genLength === undefined ? '' : ` of ${prompts.genLength} tokens`} on a
logarithmic axis. Dots: simulated, ${costModel.name} ${costModel.quant} on
${profile.name}, median over ${prompts.count} prompts with its 95 % interval. Diamonds: what arXiv:2606.13740 measured on its
phone with GSM8K prompts (Table 6); other prompts and another deciding model, so agreement in speed-up says more than agreement
in seconds.</figcaption></figure>`,
      jsonButton('ladder', 'rows'),
      ladderTable(summary),
      html`<h3>Where the time goes</h3>`,
      utilizationTable(summary),
    ]),
    section('tokens', 'Is it still the same text?', [
      html`<p>Every row is compared token by token with a row that should produce the same text; where a technique may
change the text, the share of equal tokens and the first difference are given instead.</p>`,
      exactnessTable(summary),
      tasks ?? html``,
    ]),
    summary.carpet.length === 0 ? null : await carpetSection(summary),
    summary.timeline.length === 0 ? null : await timelineSection(summary),
    section('provenance', 'Where the hardware numbers come from', [
      html`<p>${profile.fittedOrAssumed.length} numbers of profile ${profile.name} are fitted or assumed: nobody published
them, and the latencies above depend on them.</p>`,
      html`<details class="numbers"><summary>All ${(profile.all ?? profile.fittedOrAssumed).length} numbers with unit, kind and source</summary>
${provenanceTable(profile.all ?? profile.fittedOrAssumed)}</details>`,
    ]),
    section('again', 'Make it again', [
      identityList(summary),
      html`<p class="downloads"><button data-save="summary">Save summary.json</button>
<button data-save="ladder">Save the ladder as SVG</button></p>`,
    ]),
  ];
  const page = html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ablation: ${costModel.name} on ${profile.name}</title>
<link rel="icon" href="data:,">
<style>${new Html(STYLE_SHEET)}</style></head>
<body>
<header><h1>The llada.cpp ladder, re-implemented and timed on a modelled ${chipWords(profile.name)}</h1>
<p class="soft">dllm-npu ${summary.version}</p>
<nav><a href="#ladder">Ladder</a><a href="#tokens">Same text?</a>${summary.carpet.length > 0 ? html`<a href="#carpet">Denoising</a>` : null}
${summary.timeline.length > 0 ? html`<a href="#timeline">One step</a>` : null}<a href="#provenance">Provenance</a><a href="#again">Make it again</a></nav></header>
<main>
<div class="notice"><p><b>What these numbers are.</b></p><ul>
<li>Which token is committed when was decided by <b>${model.name}</b> (${formatCount(model.params)} parameters, ${summary.engine}) on
${prompts.count} prompts of ${prompts.set}.</li>
<li>What a step costs was simulated for the shapes of <b>${costModel.name} ${costModel.quant}</b> on <b>${profile.name}</b>. No row is a
measurement on a device.</li>
<li>A larger model is more or less sure of its tokens than this one, so forwards and tokens per forward do not carry over.</li>
${summary.notes.map((note) => html`<li>${withCode(note)}</li>`)}</ul></div>
${sections.filter((part) => part !== null)}
</main>
<div class="tip" role="status" hidden></div>
<script type="application/json" id="summary">${embedJson(summary)}</script>
<script>${new Html(CLIENT_SCRIPT)}</script>
</body></html>
`;
  return page.text;
}

/** A sentence with what stands in backticks as code. */
function withCode(text: string): Html[] {
  return text.split('`').map((part, i) => (i % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));
}

/** The part of the embedded data that a chart was drawn from, to read in place or to save. */
function jsonButton(name: string, path: string): Html {
  return html`<details class="json" data-path="${path}"><summary>JSON behind this chart</summary>
<p class="downloads"><button data-save="${name}" data-json="${path}">Save ${name}.json</button></p><pre tabindex="0"></pre></details>`;
}

function section(id: string, title: string, parts: readonly Html[]): Html {
  return html`<section id="section-${id}"><h2 id="${id}">${title}</h2>
${parts}</section>
`;
}

async function carpetSection(summary: AblationSummary): Promise<Html> {
  const statics: Html[] = [];
  // One after the other: Vega numbers ids per process, and interleaved renders would not be reproducible.
  for (const [index, carpet] of summary.carpet.entries()) {
    const label = `States by position and step: ${carpet.row}`;
    statics.push(inlineSvg((await drawFigure(carpetFigure(carpet))).svg, `carpet${index}`, label));
  }
  const options = summary.carpet.map(
    (carpet, index) => html`<option value="${index}">${carpet.row} (${carpet.steps.length} steps)</option>`,
  );
  const states = (Object.keys(STATE_COLORS) as (keyof typeof STATE_COLORS)[]).map(
    (state) => html`<li><i style="background:${STATE_COLORS[state]}"></i>${STATE_NAMES[state]}</li>`,
  );
  return section('carpet', 'One prompt, step by step', [
    html`<div class="carpet" hidden><p class="soft">Prompt: <span class="prompt mono"></span></p><p class="soft">One right answer: <span class="expected mono"></span></p>
<div class="player"><label>Row <select>${options}</select></label><button type="button">Play</button>
<input type="range" min="0" value="0" aria-label="Step"><output></output></div>
<div class="decoded" role="region" aria-label="Text after the step"></div>
<ul class="legend">${states}<li><svg class="sign" viewBox="-4 -4 8 8" aria-hidden="true"><path d="M-1-3h2v2h2v2h-2v2h-2v-2h-2v-2h2z"/></svg>token revised</li><li><svg class="sign" viewBox="-4 -4 8 8" aria-hidden="true"><path d="M0-3L3 3H-3z"/></svg>CPU refresh landed</li></ul>
<canvas role="img" aria-label="States by position and step"></canvas>
<div class="lanes" hidden><canvas role="img" aria-label="Busy share of each resource over the decode"></canvas></div>
<p class="soft">Point at a cell to read its token and confidence, drag to move through the steps. In the text: plain = stable, shaded = visible and
revisable, italic = draft, _ = in the window and undecided, \u00b7 = masked, ${END_SIGN} = end of text, outlined = new in this step. Below: what
the machine's resources did meanwhile; a cell is as wide as its step took; the more it stands out, the busier.</p>
${jsonButton('carpet', 'carpet')}</div>
<noscript>${statics.map((svg) => html`<figure><div class="plate">${svg}</div></figure>`)}</noscript>`,
  ]);
}

async function timelineSection(summary: AblationSummary): Promise<Html> {
  const parts: Html[] = [];
  for (const [index, timeline] of summary.timeline.entries()) {
    const label = `Resources over one step: ${timeline.row}`;
    const svg = inlineSvg((await drawFigure(timelineFigure(timeline))).svg, `timeline${index}`, label);
    parts.push(
      html`<figure><div class="plate">${svg}</div><figcaption>Who is busy when: step ${timeline.step} of prompt
${timeline.prompt} in row ${timeline.row}, simulated. A bar spans the time an operator holds the unit;
its height is the share of that time in which the unit works.</figcaption></figure>
${laneTable(timeline)}
${jsonButton(`timeline-${index}`, `timeline.${index}`)}`,
    );
  }
  return section('timeline', 'Where the time of one step goes', parts);
}
