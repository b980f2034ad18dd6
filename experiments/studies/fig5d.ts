import { median } from '../../src/score/statistics/samples.js';
import { between } from '../comparison/bands.js';
import { ffnDownByLayer } from '../comparison/ffn-down.js';
import { defineStudy } from '../comparison/study.js';
import { curves, type Panel, type Series } from '../figures/curves.js';

const ROWS = 32;

export const fig5d = defineStudy({
  name: 'fig5d',
  title: 'Mapping spikes: one FFN operator by layer, without SOMR',
  paper: 'fig5d',
  runs: 'a steady denoising step of 32 rows on the NPU; whole 1 GiB buffers mapped on demand, least recently used out',
  workload: null,
  stacks: ['llada.cpp'],
  measure: (bench) => {
    const { layers, mappingMs } = ffnDownByLayer(
      bench.machine('llada.cpp', 'on-demand', { record: true }),
      ROWS,
    );
    return {
      layer: layers.map(({ layer }) => layer),
      kernel_ms: layers.map(({ opMs }) => opMs),
      mapping_ms: layers.map((each) => each.mappingMs),
      all_mapping_ms: layers.map(() => mappingMs),
    };
  },
  derive: ({ kernel_ms, mapping_ms }, paper) => {
    const op_ms = kernel_ms.map((ms, i) => ms + mapping_ms[i]);
    const spikes = (all: readonly number[]): number => all.filter((ms) => ms > 3 * median(all)).length;
    return {
      op_ms,
      base_ms: median(op_ms),
      spikes: spikes(op_ms),
      paper_base_ms: median(paper.op_ms),
      paper_spikes: spikes(paper.op_ms),
    };
  },
  formulas: {
    op_ms: 'kernel_ms + mapping_ms',
    base_ms: 'median of op_ms',
    spikes: 'layers with op_ms over 3 * base_ms',
    paper_base_ms: 'median of op_ms of the paper',
    paper_spikes: 'layers of the paper with op_ms over 3 * paper_base_ms',
  },
  compare: (ours, paper) => {
    const extra = (all: readonly number[], base: number): number =>
      all.reduce((sum, ms) => sum + (ms - base), 0);
    return [
      {
        name: 'layer without a spike',
        unit: 'ms',
        ours: ours.base_ms,
        paper: ours.paper_base_ms,
        kind: 'predicted',
      },
      {
        name: 'layers with a spike',
        unit: '',
        ours: ours.spikes,
        paper: ours.paper_spikes,
        kind: 'ordering',
        band: { claim: 'shape', text: '1 to 8 of 32 layers', holds: between(1, 8) },
        whenMissed:
          'another operator is the first to touch a buffer that was mapped out: the spike is there, but not in the FFN down projection',
      },
      {
        name: 'spike over base',
        unit: 'x',
        ours: Math.max(...ours.op_ms) / ours.base_ms,
        paper: Math.max(...paper.op_ms) / ours.paper_base_ms,
        kind: 'ordering',
      },
      {
        name: 'extra time of this operator per step',
        unit: 'ms',
        ours: extra(ours.op_ms, ours.base_ms),
        paper: extra(paper.op_ms, ours.paper_base_ms),
        kind: 'ordering',
      },
      {
        name: 'mapping of all operators per step',
        unit: 'ms',
        ours: ours.all_mapping_ms[0],
        paper: null,
        kind: 'predicted',
      },
    ];
  },
  notes: [
    'The paper names one FFN operator without saying which. Here it is the down projection.',
    'What a mapping costs is assumed, the middle of a wide range: that the height of the spike agrees proves nothing.',
    'Which operator waits depends on where 1 GiB buffers begin, which the paper does not give.',
  ],
  figure: (ours, paper) => {
    const panel = (title: string, series: Series): Panel => ({
      title,
      x: { title: 'layer', values: [0, 8, 16, 24, 31] },
      y: { title: 'time of FFN down, ms', scale: 'log', values: [1, 2, 5, 10, 20, 50] },
      series: [series],
    });
    return curves([
      panel('FFN down by layer, here', { source: 'here', x: ours.layer, y: ours.op_ms }),
      panel('FFN down by layer, paper', { source: 'paper', mark: 'linked', x: paper.layer, y: paper.op_ms }),
    ]);
  },
});
