import { type Experiment, numbersOf } from '../comparison/experiment.js';
import { ffnDownByLayer } from '../comparison/ffn-down.js';
import { curves } from '../figures/curves.js';

const ROWS = 32;

export const fig5d: Experiment = {
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
  derived: {
    op_ms: 'kernel_ms + mapping_ms',
    base_ms: 'median(op_ms)',
    spikes: 'sum(op_ms > 3 * base_ms)',
    paper_base_ms: 'median(paper.op_ms)',
    paper_spikes: 'sum(paper.op_ms > 3 * paper_base_ms)',
  },
  rows: [
    { name: 'layer without a spike', unit: 'ms', ours: 'base_ms', paper: 'paper_base_ms', kind: 'predicted' },
    {
      name: 'layers with a spike',
      unit: '',
      ours: 'spikes',
      paper: 'paper_spikes',
      kind: 'ordering',
      band: { claim: 'shape', text: '1 to 8 of 32 layers', pass: 'ours >= 1 and ours <= 8' },
      whenMissed:
        'another operator is the first to touch a buffer that was mapped out: the spike is there, but not in the FFN down projection',
    },
    {
      name: 'spike over base',
      unit: 'x',
      ours: 'max(op_ms) / base_ms',
      paper: 'max(paper.op_ms) / paper_base_ms',
      kind: 'ordering',
    },
    {
      name: 'extra time of this operator per step',
      unit: 'ms',
      ours: 'sum(op_ms - base_ms)',
      paper: 'sum(paper.op_ms - paper_base_ms)',
      kind: 'ordering',
    },
    {
      name: 'mapping of all operators per step',
      unit: 'ms',
      ours: 'all_mapping_ms[1]',
      paper: null,
      kind: 'predicted',
    },
  ],
  notes: [
    'The paper names one FFN operator without saying which. Here it is the down projection.',
    'What a mapping costs is assumed, the middle of a wide range: that the height of the spike agrees proves nothing.',
    'Which operator waits depends on where 1 GiB buffers begin, which the paper does not give.',
  ],
  figure: (columns, paper) => {
    const x = { title: 'layer', values: [0, 8, 16, 24, 31] };
    const y = { title: 'ms', scale: 'log', values: [1, 2, 5, 10, 20, 50] } as const;
    const base = numbersOf(columns, 'kernel_ms');
    const mapping = numbersOf(columns, 'mapping_ms');
    const ours = base.map((ms, i) => (ms === null ? null : ms + (mapping[i] ?? 0)));
    return curves([
      { title: 'here', x, y, series: [{ source: 'here', x: numbersOf(columns, 'layer'), y: ours }] },
      {
        title: 'paper',
        x,
        y,
        series: [
          {
            source: 'paper',
            mark: 'linked',
            x: numbersOf(paper, 'layer'),
            y: numbersOf(paper, 'op_ms'),
          },
        ],
      },
    ]);
  },
};
