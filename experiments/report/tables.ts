import { busyMs } from '../figures/timeline.js';
import { memoryWords, unitWords } from '../figures/words.js';
import {
  ABSENT,
  exactnessNote,
  formatCount,
  formatFactor,
  formatLatency,
  formatMachineSpread,
  formatMoved,
  formatPercent,
  formatProportion,
  formatSpeedup,
  specificationNote,
  trusted,
  verdictColour,
  verdictWord,
} from '../studies/ladder/format.js';
import type { AblationRow, AblationSummary, ProvenanceEntry, Timeline } from '../studies/ladder/types.js';
import { type Html, html } from './html.js';

/** The results of every row, the paper's beside them. */
export function ladderTable(summary: AblationSummary): Html {
  // Rows that are there for the order have no error.
  const errors = summary.rows.some((row) => paperError(row) !== ABSENT);
  return html`<div class="scroll"><table>
<thead><tr><th rowspan="2" class="text" scope="col">row</th><th colspan="${errors ? 3 : 2}" scope="colgroup">latency, seconds</th>
<th colspan="2" scope="colgroup">× row before</th><th colspan="3" scope="colgroup">× CPU + prefix KV</th>
<th rowspan="2" scope="col">NFE</th><th rowspan="2" scope="col">tokens /<br>forward</th>
<th rowspan="2" scope="col">exact match<br>%</th><th rowspan="2" class="text" scope="col">tokens</th></tr>
<tr><th scope="col">here</th><th scope="col" class="paper">paper</th>${errors ? html`<th scope="col" class="paper">off by</th>` : null}
<th scope="col">here</th><th scope="col" class="paper">paper</th><th scope="col">here</th><th scope="col">80 % over<br>machines</th><th scope="col" class="paper">paper</th></tr></thead>
<tbody>${summary.rows.map((row) => ladderRow(row, errors))}</tbody>
<caption>Latency: simulated, median over prompts with its 95 % bootstrap interval (none where prompts do not differ); the same of × CPU + prefix KV.
Over machines: draws of heat and of every number that has a range, spread by the form of the model, both rows on the same draw.
Paper: arXiv:2606.13740 Table 6; agreement is ${paperKinds(summary)}. NFE: forwards on the critical path.
Exact match: the whole answer
right, 95 % Wilson interval.</caption></table></div>`;
}

/** @param errors whether there is a column for how far the paper is off */
function ladderRow(row: AblationRow, errors: boolean): Html {
  const ok = trusted(row);
  const ours = (factor: number | null) => (ok ? formatFactor(factor) : ABSENT);
  return html`<tr><th scope="row">${row.name}<br><span class="soft mono">${row.policy}</span></th><td><b>${formatLatency(row)}</b></td>
<td class="paper">${row.paper_s === null ? ABSENT : String(row.paper_s)}</td>${errors ? html`<td class="paper">${paperError(row)}</td>` : null}
<td>${ours(row.speedup.vsPrevious)}</td><td class="paper">${formatFactor(row.paper_speedup?.vsPrevious)}</td>
<td><b>${ok ? formatSpeedup(row) : ABSENT}</b></td><td>${ok ? formatMachineSpread(row) : ABSENT}</td><td class="paper">${formatFactor(row.paper_speedup?.vsCpuKv)}</td>
<td>${row.forwards.mean.toFixed(1)}</td><td>${row.tokens_per_forward.all.toFixed(2)}</td><td>${formatProportion(row.accuracy.whole)}</td><td class="text ${verdictColour(row)}">${verdictWord(row)}</td></tr>
`;
}

function paperError(row: AblationRow): string {
  // An error of another data set's time would read as a result.
  if (row.paper_s === null || row.paper_s === 0 || row.paperKind === 'ordering') return ABSENT;
  const error = row.latency_s.median / row.paper_s - 1;
  return `${error >= 0 ? '+' : '\u2212'}${formatPercent(Math.abs(error))} %`;
}

/** `predicted (nothing was fitted to it)`, or the kinds by row when they differ. */
function paperKinds(summary: AblationSummary): string {
  const meaning = {
    predicted: 'predicted (nothing was fitted to these rows)',
    calibrated: 'calibrated (parameters were fitted to these rows, so it proves nothing)',
    ordering: 'meant as an ordering only',
  };
  const kinds = [...new Set(summary.rows.map((row) => row.paperKind))];
  if (kinds.length === 1 && kinds[0] !== undefined) return meaning[kinds[0]];
  return kinds
    .map((kind) => {
      const names = summary.rows.filter((row) => row.paperKind === kind).map((row) => row.name);
      return `${meaning[kind]} for ${names.join(', ')}`;
    })
    .join('; ');
}

/** Where the time of every row went. */
export function utilizationTable(summary: AblationSummary): Html {
  const body = summary.rows.map((row) => {
    const u = row.utilization;
    const busy = [u.matrix, u.vector, u.dma, u.cpu, u.dram, u.usefulRows];
    const { denoise, prefill, seal, refresh } = row.forwards;
    return html`<tr><th scope="row">${row.name}</th><td class="text">${row.stack}</td><td class="text">${memoryWords(row.memory)}</td>
${busy.map((value) => html`<td>${formatPercent(value)}</td>`)}<td>${formatMoved(row)}</td>
<td>${denoise.toFixed(1)}</td><td>${prefill.toFixed(1)}</td><td>${seal.toFixed(1)}</td><td>${refresh.toFixed(1)}</td>
<td>${row.tokens_per_forward.text.toFixed(2)}</td></tr>
`;
  });
  return html`<div class="scroll"><table>
<thead><tr><th rowspan="2" class="text" scope="col">row</th><th rowspan="2" class="text" scope="col">stack</th>
<th rowspan="2" class="text" scope="col">window</th><th colspan="5" scope="colgroup">busy, % of the latency</th>
<th rowspan="2" scope="col">useful<br>rows %</th><th rowspan="2" scope="col">mapped / staged<br>GiB / step</th>
<th colspan="4" scope="colgroup">forwards</th><th rowspan="2" scope="col">text tokens<br>/ forward</th></tr>
<tr><th scope="col">matrix</th><th scope="col">vector</th><th scope="col">DMA</th><th scope="col">CPU</th><th scope="col">DRAM</th>
<th scope="col">denoise</th><th scope="col">prefill</th><th scope="col">seal</th><th scope="col">refresh</th></tr></thead>
<tbody>${body}</tbody>
<caption>Busy time over all prompts divided by their latency. Useful rows: rows of matrix tiles that are not padding.
Mapped: bytes brought into the NPU's address window per step. Forwards per answer; refreshes run on the CPU
beside the others. Text tokens: those before the end of text.</caption></table></div>`;
}

/** What each row was compared with, token by token, where it first differs, and what re-execution found. */
export function exactnessTable(summary: AblationSummary): Html {
  const rows = summary.rows.map(
    (
      row,
    ) => html`<tr><th scope="row">${row.name}</th><td class="text ${verdictColour(row)}">${verdictWord(row)}</td>
<td class="wrap">${exactnessNote(row) ?? `tokens equal ${row.token_exact.against}`}</td>
<td class="wrap">${specificationNote(row) ?? 'not done'}</td></tr>
`,
  );
  return html`<div class="scroll"><table><thead><tr><th class="text" scope="col">row</th><th class="text" scope="col">tokens</th>
<th class="text" scope="col">against another row</th><th class="text" scope="col">against its own definition</th></tr></thead>
<tbody>${rows}</tbody><caption>Against its own definition: the context each prediction was entitled to see, recomputed in f32 as one
masked forward, without cache, window or order.</caption></table></div>`;
}

/** Accuracy per task; null when the rows carry none. */
export function taskTable(summary: AblationSummary): Html | null {
  const tasks = [...new Set(summary.rows.flatMap((row) => Object.keys(row.accuracy.perTask ?? {})))].sort();
  if (tasks.length === 0) return null;
  const body = summary.rows.map((row) => {
    const values = tasks.map((task) => {
      const p = row.accuracy.perTask?.[task];
      return html`<td>${p === undefined ? ABSENT : formatProportion(p)}</td>`;
    });
    return html`<tr><th scope="row">${row.name}</th>${values}<td><b>${formatProportion(row.accuracy.whole)}</b></td></tr>
`;
  });
  return html`<div class="scroll"><table><thead><tr><th class="text" scope="col">row</th>
${tasks.map((task) => html`<th scope="col">${task}</th>`)}<th scope="col">whole answer</th></tr></thead><tbody>${body}</tbody>
<caption>Percent right with 95 % Wilson interval, on the same prompts for every row.</caption></table></div>`;
}

/** Busy time per lane of one step, so that the picture can be read off in numbers. */
export function laneTable(timeline: Timeline): Html {
  const rows = timeline.lanes.map((lane) => {
    const busy = timeline.spans
      .filter((span) => span.lane === lane)
      .reduce((sum, span) => sum + busyMs(span), 0);
    const share = timeline.durationMs === 0 ? null : busy / timeline.durationMs;
    return html`<tr><th scope="row">${unitWords(lane)}</th><td>${busy.toFixed(1)}</td><td>${formatPercent(share)}</td></tr>
`;
  });
  return html`<table><thead><tr><th class="text" scope="col">lane</th><th scope="col">busy ms</th><th scope="col">busy %</th></tr></thead>
<tbody>${rows}</tbody><caption>One step of ${timeline.durationMs.toFixed(1)} ms.</caption></table>`;
}

/** Every hardware number with value, kind and source. */
export function provenanceTable(entries: readonly ProvenanceEntry[]): Html {
  const rows = entries.map(
    (e) => html`<tr><th scope="row" class="mono">${e.name}</th><td>${e.value}</td>
<td class="text"><span class="kind ${e.kind}">${e.kind}</span></td><td class="text">${e.range ?? ''}</td>
<td class="wrap">${e.source}${e.note === undefined ? '' : `. ${e.note}`}</td></tr>
`,
  );
  return html`<div class="scroll"><table><thead><tr><th class="text" scope="col">number</th><th scope="col">value</th>
<th class="text" scope="col">kind</th><th class="text" scope="col">range</th><th class="text" scope="col">source</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** What is needed to make the same bytes again. */
export function identityList(summary: AblationSummary): Html {
  const { model, costModel, profile, prompts } = summary;
  const items: [string, string][] = [
    ['command', summary.command],
    ['configuration', summary.configHash],
    [
      'version',
      summary.gitCommit === undefined ? summary.version : `${summary.version}, commit ${summary.gitCommit}`,
    ],
    ['node', summary.node],
    ['engine', summary.engine],
    ['deciding model', `${model.name}, ${formatCount(model.params)} parameters, SHA-256 ${model.sha256}`],
    ['timed model', `${costModel.name} ${costModel.quant}`],
    ['profile', `${profile.name}, SHA-256 ${profile.sha256}`],
    ['software stacks', summary.stack],
    ['prompts', `${prompts.set}, seed ${prompts.seed}, ${prompts.count} from index ${prompts.firstIndex}`],
    ['seed', String(summary.seed)],
  ];
  return html`<dl>${items.map(([term, value]) => html`<dt>${term}</dt><dd class="mono">${value}</dd>`)}</dl>`;
}
