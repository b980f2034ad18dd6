import { timerWords, unitWords } from '../../experiments/figures/words.ts';
import { traceHeaderSchema, traceStepSchema } from '../../src/decode/trace/schema.ts';

const LETTERS = { M: 'M', IV: 'I', V: 'V', S: 'S' };

/**
 * What the notebook shows of a trace.
 * @param {{ name: string, text: string }} file
 */
export function traceOf({ name, text }) {
  try {
    return shown(name, text);
  } catch (error) {
    const problem = `${name} is no trace of dllm-npu: ${error.issues?.[0]?.message ?? error.message}`;
    return { problem, facts: [], carpet: null, busy: [], resources: [], timer: '', steps: [] };
  }
}

function shown(name, text) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const header = traceHeaderSchema.parse(JSON.parse(lines[0]));
  const records = lines
    .slice(1)
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'step')
    .map((line) => traceStepSchema.parse(line));
  const timed = records.filter(({ timing }) => timing?.busyMs !== undefined);
  const shares = timed.map(({ step, timing }) => {
    const ms = timing.endMs - timing.startMs;
    return {
      step,
      busy: Object.fromEntries(Object.entries(timing.busyMs).map(([unit, of]) => [unit, of / ms])),
    };
  });
  const units = [...new Set(shares.flatMap(({ busy }) => Object.keys(busy)))];
  const end = records.at(-1)?.timing?.endMs;
  return {
    problem: null,
    facts: [
      `${name}: policy ${header.policy.name}, model ${header.model.name}, ${header.engine}.`,
      `${records.length} steps for ${header.genLength} tokens${end === undefined ? '' : `, ${(end / 1000).toFixed(2)} s`}; ${header.timer === null ? 'not timed' : `timed on ${timerWords(header.timer)}`}.`,
    ],
    carpet: carpetOf(header, records),
    busy: shares,
    resources: units.filter((unit) => shares.some(({ busy }) => busy[unit] > 0)),
    timer: header.timer === null ? '' : timerWords(header.timer),
    steps: records.map((record) => {
      const main = record.passes[0];
      const own = shares.find(({ step }) => step === record.step)?.busy;
      const [busiest] = Object.entries(own ?? {}).sort(([, a], [, b]) => b - a);
      return {
        step: record.step,
        kind: main.kind,
        rows: main.rows.length,
        committed: record.transitions.filter(({ from, to }) => /^(M|IV)$/.test(from) && /^[VS]$/.test(to))
          .length,
        ms: record.timing === null ? undefined : record.timing.endMs - record.timing.startMs,
        busiest: busiest === undefined ? null : { name: unitWords(busiest[0]), share: busiest[1] },
      };
    }),
  };
}

/** The states of the generated positions after every step, as the figure of a decode takes them. */
function carpetOf({ policy, promptIds, genLength }, records) {
  const states = new Array(genLength).fill('M');
  const drafts = new Set();
  const steps = records.map(({ step, transitions, draftWrites, timing }) => {
    const revised = [];
    const refreshed = [];
    for (const { position, from, to, token, tokenBefore, reason } of transitions) {
      const at = position - promptIds.length;
      if (at < 0) continue;
      states[at] = LETTERS[to];
      if (from !== 'M' && from !== 'IV' && token !== tokenBefore) revised.push(at);
      if (reason === 'refresh') refreshed.push(at);
    }
    for (const { position, draft } of draftWrites) {
      if (draft === null) drafts.delete(position - promptIds.length);
      else drafts.add(position - promptIds.length);
    }
    return {
      step,
      endMs: timing?.endMs ?? null,
      window: [0, 0],
      states: states.join(''),
      tokens: [],
      drafts: [...drafts].map((at) => [at, 0]),
      revised,
      refreshed,
    };
  });
  const blockLength = policy.blockLength ?? genLength;
  return { row: policy.name, policy: policy.name, genLength, blockLength, steps, pieces: [], endPiece: null };
}
