import type { HardwareProfile } from '../../sim/hardware/schema.js';
import type { Machine } from '../../sim/machine/machine.js';
import { STREAM_RATES } from '../../sim/machine/rates.js';
import { machine as openMachine } from '../../sim/open-machine.js';
import { parametersOf } from '../../sim/sensitivity/parameters.js';
import { oneAtATime } from '../../sim/sensitivity/sensitivity.js';
import { denoisingShape, steadyMs } from '../../sim/workload/steady-step.js';
import { CheckError } from '../../src/errors.js';
import type { Op, OpGraph } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import type { PassShape } from '../../src/pass/shape.js';
import { endText } from './end-text.js';
import type { OpClass, Roof, Roofline, RoofUnit } from './roofline.js';
import type { TornadoRow } from './tornado.js';
import { chipWords, modelWords, parameterWords, quantWords } from './words.js';

const UNITS: readonly RoofUnit[] = ['NPU', 'CPU'];

/** What a part of a step's breakdown is called, without the place. */
const classOf = (op: Op): string => (op.kind === 'matmul' ? op.role : op.kind);

/**
 * The roofline of a step: operations of the graph, bytes as if every operand crossed DRAM once, time of the machine's
 * breakdown. Only operators with multiply-accumulates. The NPU has its weight stream and its matrix unit for roofs, the
 * CPU the rate at which its cores read DRAM: nobody published how many operations a second it reaches on such matrices.
 */
export function rooflineOf(machine: Machine, rows: number, context: number): Roofline {
  const { profile, shapes: model, quant: precision, stack } = machine.options;
  const { roofs, classes } = operatorRoofs(machine, denoisingShape(rows, context));
  if (!classes.some(({ unit }) => unit === 'NPU'))
    throw new CheckError(`nothing of a step on ${machine.name} runs on an NPU`);
  return {
    title: `Roofline: ${modelWords(model.name)} ${quantWords(precision.weights)} on ${chipWords(profile.name)} (${stack.name})`,
    subtitle: `one simulated step of ${rows} rows over ${context} cached positions`,
    level: 'of DRAM, every operand once',
    roofs,
    classes,
  };
}

/** The operators of a steady step, and the roofs above them. */
export function operatorRoofs(
  machine: Machine,
  shape: PassShape,
): { readonly roofs: readonly Roof[]; readonly classes: readonly OpClass[] } {
  const { profile, quant: precision, shapes: model, stack } = machine.options;
  const stepMs = steadyMs(machine, shape);
  const graph = graphFor(model, shape, precision);
  const { npu } = profile;
  const clockHz = npu.clock * 1e9;
  const [dmaName] = STREAM_RATES[stack.weightStream];
  const matrixRate = 2 * npu.matrixMacsPerCycle * clockHz * stack.numbers.matrixRate;
  const roofs: Roof[] = [
    { unit: 'NPU', name: `DMA ${round(npu[dmaName])} GB/s`, rate: npu[dmaName] * 1e9, kind: 'bytes' },
    {
      unit: 'NPU',
      name: `matrix unit ${round(matrixRate / 1e12)} trillion/s`,
      rate: matrixRate,
      kind: 'operations',
    },
  ];
  const cpuRoof: Roof = {
    unit: 'CPU',
    name: `CPU reads ${round(profile.cpu.readRate)} GB/s`,
    rate: profile.cpu.readRate * 1e9,
    kind: 'bytes',
  };
  const ridge = matrixRate / (npu[dmaName] * 1e9);
  const classes: OpClass[] = [];
  for (const { name, ms } of machine.stepBreakdown().parts) {
    const unit = UNITS.find((each) => name.startsWith(`${each} `));
    if (unit === undefined) continue;
    const ops = graph.ops.filter((op) => classOf(op) === name.slice(4) && op.macs > 0);
    if (ops.length === 0) continue;
    const operations = 2 * ops.reduce((sum, op) => sum + op.macs, 0);
    const bytes = ops.reduce((sum, op) => sum + operandBytes(graph, op), 0);
    const ofNpu = operations / bytes < ridge ? [`npu.${dmaName}`] : ['npu.matrixMacsPerCycle', 'npu.clock'];
    const binding = unit === 'CPU' ? ['cpu.readRate'] : ofNpu;
    classes.push({
      unit,
      name: name.slice(4),
      operations,
      bytes,
      seconds: ms / 1000,
      share: ms / stepMs,
      assumed: binding.some((number) => isAssumed(profile, number)),
    });
  }
  if (classes.some(({ unit }) => unit === 'CPU')) roofs.push(cpuRoof);
  return { roofs, classes };
}

function operandBytes(graph: OpGraph, op: Op): number {
  return [...op.inputs, ...op.weights, ...op.outputs].reduce(
    (sum, id) => sum + (graph.tensors.get(id)?.bytes ?? 0),
    0,
  );
}

function isAssumed(profile: HardwareProfile, name: string): boolean {
  const kind = profile.provenance[name]?.kind;
  return kind === 'assumed' || kind === 'fitted';
}

/**
 * One step at both ends of the range of every number of chip and software that was not measured, the others at
 * their defaults. Numbers that change nothing are left out.
 */
export function tornadoOf(
  machine: Machine,
  rows: number,
  context: number,
  most = 15,
): { readonly rows: TornadoRow[]; readonly base: number; readonly without: number } {
  const shape = denoisingShape(rows, context);
  const { profile, stack } = machine.options;
  const effects = oneAtATime({ profile, stack }, parametersOf(profile, stack), (chip) =>
    steadyMs(openMachine({ ...machine.options, ...chip, record: false }), shape),
  );
  const shown = effects.filter(({ swing }) => swing > 0).slice(0, most);
  return {
    base: steadyMs(machine, shape),
    without: effects.length - shown.length,
    rows: shown.map(({ parameter, atLow, atHigh }) => {
      const [lowText = '', highText = ''] = parameter.range.map((end) => endText(parameter, end));
      return {
        name: `${parameterWords(parameter.name)} (${parameter.kind})`,
        lowText,
        highText,
        atLow,
        atHigh,
      };
    }),
  };
}

const round = (value: number): number => Number(value.toPrecision(3));
