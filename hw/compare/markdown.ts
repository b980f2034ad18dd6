import { formatTable } from '../../src/util/table.js';
import type { CompareReport } from './report.js';

const digits = (value: number | null, places = 3): string => (value === null ? '-' : value.toFixed(places));
const power = (value: number | null): string => (value === null ? 'not finite' : value.toExponential(1));

interface Cells {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

type Agreed = CompareReport['agreement'][number] | CompareReport['states'][number];

function agreementCells(row: Agreed): string[] {
  const same = row.rows === 0 ? '-' : ((100 * row.sameBest) / row.rows).toFixed(2);
  return [
    String(row.rows),
    same,
    String(row.nearTies),
    String(row.differentBeyondNearTies),
    digits(row.largestMarginTurned),
    power(row.klMean),
    power(row.klMax),
    power(row.maxLogitError),
  ];
}

const AGREEMENT_HEADER = [
  'rows',
  'same best %',
  'near-ties',
  'turned beyond',
  'largest margin turned',
  'KL mean',
  'KL max',
  'logit error',
];

/** Agreement by what a row was. */
export function agreementTable({ agreement }: CompareReport): Cells {
  return {
    header: ['row', ...AGREEMENT_HEADER],
    rows: agreement.map((row) => [row.state, ...agreementCells(row)]),
  };
}

/** Agreement and times of every denoising state. */
export function stateTable({ states }: CompareReport): Cells {
  const timed = states.some(({ wallMs }) => wallMs !== undefined);
  const times = ['simulated ms', 'device ms', ...(timed ? ['wall ms'] : [])];
  return {
    header: ['problem', 'step', 'pass', ...AGREEMENT_HEADER, 'bucket', ...times],
    rows: states.map((state) => [
      String(state.problem),
      String(state.step),
      state.pass,
      ...agreementCells(state),
      state.bucket,
      digits(state.simulatedMs),
      digits(state.deviceMs),
      ...(timed ? [digits(state.wallMs ?? null)] : []),
    ]),
  };
}

/** Operators by kind, one bucket after the other. Empty columns are empty: nothing fills in for a device. */
export function operatorTable({ times }: CompareReport): Cells {
  return {
    header: [
      'bucket',
      'operator',
      'count',
      'simulated us',
      'device us',
      'device cycles',
      'device / simulated',
    ],
    rows: times.operators.map((row) => [
      row.bucket,
      row.label,
      `${row.matchedOps}/${row.simulatedOps}`,
      digits(row.simulatedUs, 1),
      digits(row.deviceUs, 1),
      digits(row.deviceCycles, 0),
      digits(row.ratio, 2),
    ]),
  };
}

/** As a table for a terminal: the first column of names to the left, numbers to the right. */
export function terminalTable({ header, rows }: Cells, styleHeader: (line: string) => string): string {
  const text = (index: number) => rows.every((row) => !/^[-\d]/.test(row[index] ?? ''));
  return formatTable(
    header.map((title, index) => ({
      header: title.split(/ (?=\S+$)/),
      align: text(index) ? 'left' : 'right',
    })),
    rows,
    { styleHeader },
  );
}

function markdownTable({ header, rows }: Cells): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What the verdict, the first divergences and the times come to, a sentence each. */
export function sentences(report: CompareReport): string[] {
  const { device, verdict, tokens, answers, times, nearTie } = report;
  const parted = answers.flatMap(({ problem, parting }) => {
    if (parting === null) return [];
    const { step, position, kind, token, expected, referenceMargin, confidenceDifference } = parting;
    const what =
      kind === 'token'
        ? `token ${token} instead of ${expected}, margin ${digits(referenceMargin)} logits`
        : `decided at another step, confidences differ by ${confidenceDifference === null ? 'an unknown amount' : power(confidenceDifference)}`;
    return [`problem ${problem} parts at step ${step}, position ${position}: ${what}`];
  });
  return [
    `Execution class ${device.executionClass}${device.missing.length === 0 ? '' : `; a device run would also have shown ${device.missing.join(', ')}`}.`,
    verdict.agrees
      ? `Agrees: no decision with a margin of ${nearTie} logits or more is different.`
      : `Differs: ${verdict.reasons.join('; ')}.`,
    `${tokens.different} of ${tokens.compared} tokens differ when each decodes on its own${parted.length === 0 ? '' : ` (${parted.slice(0, 5).join('; ')})`}.`,
    ...wallSentence(report),
    times.refused === null
      ? `Device times are those of ${times.deviceRecord ?? 'this run'}; operators that the graph knows cover ${digits(100 * (times.coverage ?? 0), 1)} % of the device's operator time.`
      : `No device times, and none are filled in: ${times.refused}.`,
  ];
}

function wallSentence({ states, device }: CompareReport): string[] {
  if (!states.some(({ wallMs }) => typeof wallMs === 'number')) return [];
  const { ggml } = device.evidence;
  const fell = Object.entries(ggml?.onCpu ?? {}).map(([name, count]) => `${name} ${count}`);
  const where =
    ggml === undefined
      ? ''
      : ` on ${ggml.device}, ${ggml.operators} operators, ${fell.length === 0 ? 'none' : fell.join(', ')} of them on the CPU beside it`;
  return [`Wall times are medians of the passes of one shape as this process saw them${where}.`];
}

/** The report as a page for a reader. */
export function compareMarkdown(report: CompareReport): string {
  const { model, policy, problems, device, reference, times, gitCommit, genLength } = report;
  const files = device.files.map(
    ({ name, version, sha256, bytes }) => `| ${name} | ${version ?? '-'} | ${bytes} | \`${sha256}\` |`,
  );
  return [
    `# ${model.name} on ${device.engine}, beside ${reference} and the simulator`,
    '',
    `Policy ${policy}, ${problems.n} held-out problems from ${problems.firstIndex} of seed ${problems.seed}, ${genLength} positions each, numerics ${device.numerics}. ` +
      `Simulated times are those of ${times.machine}.${gitCommit === undefined ? '' : ` Code ${gitCommit}.`}`,
    '',
    ...sentences(report).map((sentence) => `- ${sentence}`),
    '',
    '## Same passes on both',
    '',
    markdownTable(agreementTable(report)),
    '',
    '## State by state',
    '',
    markdownTable(stateTable(report)),
    '',
    '## Operators',
    '',
    markdownTable(operatorTable(report)),
    '',
    '## What took part',
    '',
    `${device.tool.name} ${device.tool.version ?? ''}, target ${device.target.os ?? '-'}, SoC ${device.target.soc ?? '-'}. Options: ${
      Object.entries(device.options)
        .map(([key, value]) => `\`${key}=${value}\``)
        .join(', ') || 'none'
    }.`,
    '',
    '| file | version | bytes | sha256 |',
    '|---|---|---|---|',
    ...files,
    '',
  ].join('\n');
}
