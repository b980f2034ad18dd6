import type { Entry } from '../mount.js';

/** Every command, in the order of the help. Each has one file, loaded when the command is called. */
export const COMMANDS: readonly Entry[] = [
  {
    name: 'ablate',
    summary:
      'the ladder: one technique more per row; latency, forwards, utilization, accuracy, token-exactness',
    load: () => import('./ablate.js'),
  },
  {
    name: 'quality',
    summary: 'exact answers of every policy on the same held-out problems, with intervals and paired tests',
    load: () => import('./quality.js'),
  },
  {
    name: 'recover',
    summary: 'mask tokens of texts and let every policy fill them in: how much comes back exactly',
    load: () => import('./recover.js'),
  },
  {
    name: 'generate',
    summary: 'decode one prompt, or a file of them, with a policy; --watch shows the canvas denoise',
    load: () => import('./generate.js'),
  },
  {
    name: 'explore',
    summary:
      'the same in a browser: drag a threshold, see the canvas denoise and the NPU fill; no network needed',
    load: () => import('./explore.js'),
  },
  {
    name: 'policies',
    summary: 'list the decoding methods, their rules, defaults and sources',
    load: () => import('./policies.js'),
  },
  {
    name: 'trace',
    summary: 'look at a recorded decode (`generate --trace FILE` writes one)',
    commands: [
      {
        name: 'show',
        summary: 'print a trace as a picture: one line per step, one letter per generated position',
        load: () => import('./trace/show.js'),
      },
      {
        name: 'validate',
        summary: 'check a trace: its schema, and every law of decoding on every step',
        load: () => import('./trace/validate.js'),
      },
    ],
  },
  {
    name: 'verify',
    summary: 'prove what a policy preserves: recompute without cache or window, compare, check every law',
    load: () => import('./verify.js'),
  },
  {
    name: 'numerics',
    summary: "what an engine's arithmetic changes: agreement by token state, KL, near-ties, tokens",
    load: () => import('./numerics.js'),
  },
  {
    name: 'bench',
    summary: 'time one forward pass: models, engines, rows and contexts in one table',
    load: () => import('./bench.js'),
  },
  {
    name: 'hvx',
    summary:
      'run the priced vector kernels as Hexagon code under emulation, compare bits, count instructions',
    load: () => import('./hvx.js'),
  },
  {
    name: 'hardware',
    summary: 'hardware profiles: every number with unit, source and kind',
    commands: [
      {
        name: 'list',
        summary: 'list the profiles',
        load: () => import('./hardware/list.js'),
      },
      {
        name: 'show',
        summary:
          'print a profile: value, kind (measured, vendor, derived, fitted, assumed) and source of each number',
        load: () => import('./hardware/show.js'),
      },
      {
        name: 'stack',
        summary: 'print the numbers of a software stack: how a chip is used, with kind and source',
        load: () => import('./hardware/stack.js'),
      },
      {
        name: 'diff',
        summary: 'the numbers in which two profiles differ',
        load: () => import('./hardware/diff.js'),
      },
      {
        name: 'explain',
        summary: 'one number: its value, kind, source and note in every profile or stack',
        load: () => import('./hardware/explain.js'),
      },
      {
        name: 'stacks',
        summary: 'list the software stacks',
        load: () => import('./hardware/stacks.js'),
      },
      {
        name: 'energy',
        summary: 'print the numbers of the energy model',
        load: () => import('./hardware/energy.js'),
      },
    ],
  },
  {
    name: 'device',
    summary: 'real devices: what can be run from here, and on what',
    commands: [
      {
        name: 'doctor',
        summary: 'look for phones, libraries and a runtime; say what can be run and what is missing',
        load: () => import('./device/doctor.js'),
      },
      {
        name: 'fetch',
        summary:
          "download Qualcomm's libraries for this machine with pip, check them, unpack what a run needs",
        load: () => import('./device/fetch.js'),
      },
      {
        name: 'run',
        summary: 'decode on a device backend in this machine, and write the record of the run',
        load: () => import('./device/run.js'),
      },
      {
        name: 'compare',
        summary: 'the same passes on the reference, on the simulator and on a device backend, side by side',
        load: () => import('./device/compare.js'),
      },
      {
        name: 'calibrate',
        summary: 'turn the operator times of a device into a hardware profile, "measured" where they say so',
        load: () => import('./device/calibrate.js'),
      },
      {
        name: 'ggml',
        summary: "llama.cpp's Hexagon backend: a second opinion on whole generations and single operators",
        commands: [
          {
            name: 'generate',
            summary: 'one generation with llama-diffusion-cli (LLaDA, Dream)',
            load: () => import('./device/ggml/generate.js'),
          },
          {
            name: 'bench',
            summary: 'time of one forward pass per number of rows, with llama-bench',
            load: () => import('./device/ggml/bench.js'),
          },
          {
            name: 'read',
            summary: 'read a log that a run with GGML_HEXAGON_PROFILE wrote: operators, units, dialect',
            load: () => import('./device/ggml/read.js'),
          },
        ],
      },
      {
        name: 'qnn',
        summary: "Qualcomm's own tools (QAIRT_ROOT): compile step graphs, replay a recorded decode",
        commands: [
          {
            name: 'graphs',
            summary: 'write the step graphs that a trace needs, as ONNX for the converter of the SDK',
            load: () => import('./device/qnn/graphs.js'),
          },
          {
            name: 'compile',
            summary: 'make context binaries of DLC files with qnn-context-binary-generator',
            load: () => import('./device/qnn/compile.js'),
          },
          {
            name: 'replay',
            summary:
              'all passes of a recorded decode through qnn-net-run, logits compared with the reference',
            load: () => import('./device/qnn/replay.js'),
          },
        ],
      },
      {
        name: 'clean',
        summary: 'remove everything that --keep left on a phone',
        load: () => import('./device/clean.js'),
      },
    ],
  },
  {
    name: 'simulate',
    summary: 'time work on a modelled chip',
    commands: [
      {
        name: 'step',
        summary: 'time one denoising step for some numbers of rows',
        load: () => import('./simulate/step.js'),
      },
      {
        name: 'trace',
        summary: 'time a recorded decode on a machine; nothing is decoded again',
        load: () => import('./simulate/trace.js'),
      },
      {
        name: 'prefill',
        summary: 'time the processing of a prompt',
        load: () => import('./simulate/prefill.js'),
      },
      {
        name: 'decode',
        summary: 'time one autoregressive step',
        load: () => import('./simulate/decode.js'),
      },
      {
        name: 'request',
        summary: 'time a prompt and its answer, one token a pass',
        load: () => import('./simulate/request.js'),
      },
      {
        name: 'kernel',
        summary: 'time one operator, named as llama.cpp names it: device time and call time',
        load: () => import('./simulate/kernel.js'),
      },
      {
        name: 'validate',
        summary: 'predict published measurements and print the errors',
        load: () => import('./simulate/validate.js'),
      },
      {
        name: 'sensitivity',
        summary: 'how much a step depends on each number that was not measured',
        load: () => import('./simulate/sensitivity.js'),
      },
    ],
  },
  {
    name: 'explain',
    summary: 'where the time of a step or a request goes, part by part, beside the roofline',
    load: () => import('./explain.js'),
  },
  {
    name: 'memory',
    summary: "the NPU's address window",
    commands: [
      {
        name: 'plan',
        summary: 'what is resident, what is staged, when, and what it costs',
        load: () => import('./memory/plan.js'),
      },
    ],
  },
  {
    name: 'models',
    summary: 'list the models that have a name: family, attention, parameters',
    load: () => import('./models.js'),
  },
  {
    name: 'inspect',
    summary: 'what a model file holds: configuration, tensors, sizes, tokenizer',
    load: () => import('./inspect.js'),
  },
  {
    name: 'convert',
    summary: 'convert a model between safetensors and GGUF, or to ONNX, weight by weight',
    load: () => import('./convert.js'),
  },
  {
    name: 'logits',
    summary: 'logits of every position of a token sequence, as row-major float32',
    load: () => import('./logits.js'),
  },
  {
    name: 'synth',
    summary: 'write a random but numerically tame model (GGUF), to measure speed and memory without weights',
    load: () => import('./synth.js'),
  },
  {
    name: 'train',
    summary: 'train a small masked-diffusion model on the shipped task (smoke runs)',
    load: () => import('./train.js'),
  },
  {
    name: 'reproduce',
    summary: 'a table or figure of the paper: ours, the published number, the error and what it proves',
    load: () => import('./reproduce.js'),
  },
  {
    name: 'workload',
    summary: 'where decisions come from: a model, a recorded trace, or a confidence process',
    notes:
      'Every command with --workload takes: a model (tiny-llada), trace:FILE or trace:DIRECTORY, synthetic (a' +
      '\nconfidence process fitted to Figures 5b and 8 of the paper), synthetic:PROFILE or synthetic:PROFILE,prompt=TOKENS.',
    commands: [
      {
        name: 'show',
        summary: 'the confidence process: parameters, what they were fitted to, residuals, profiles',
        load: () => import('./workload/show.js'),
      },
      {
        name: 'fit',
        summary: 'fits the process to Figures 5b and 8 again, or to recorded trajectories (--from)',
        load: () => import('./workload/fit.js'),
      },
      {
        name: 'emergence',
        summary: 'share of answers that are already right after a share of the steps, and right then wrong',
        load: () => import('./workload/emergence.js'),
      },
      {
        name: 'record',
        summary: 'decodes held-out problems as LLaDA does and writes every prediction as a trajectory file',
        load: () => import('./workload/record.js'),
      },
      {
        name: 'check',
        summary:
          'whether the confidence process still fits what it was fitted to, or fits recorded trajectories',
        load: () => import('./workload/check.js'),
      },
    ],
  },
  {
    name: 'sweep',
    summary: 'every run of a sweep file that is not in results/ yet; stop it any way, start it again',
    load: () => import('./sweep.js'),
  },
  {
    name: 'results',
    summary: 'what sweeps have computed (results/runs/), and how results stand against what is published',
    commands: [
      {
        name: 'list',
        summary: 'runs with the options in which they differ',
        load: () => import('./results/list.js'),
      },
      {
        name: 'show',
        summary: 'one run: options, inputs, metrics',
        load: () => import('./results/show.js'),
      },
      {
        name: 'diff',
        summary: 'in what two runs differ, asked and found',
        load: () => import('./results/diff.js'),
      },
      {
        name: 'export',
        summary: 'runs as one table: a column per option and metric',
        load: () => import('./results/export.js'),
      },
      {
        name: 'merge',
        summary: 'copy the runs of other result directories into this one, by content hash',
        load: () => import('./results/merge.js'),
      },
      {
        name: 'scoreboard',
        summary:
          'bands met and missed by figure, median errors, the worst: this project against what is published',
        load: () => import('./results/scoreboard.js'),
      },
    ],
  },
  {
    name: 'tune',
    summary: 'search policy options: the front of latency, quality and energy at non-inferior quality',
    load: () => import('./tune.js'),
  },
  {
    name: 'figure',
    summary: 'a picture for a paper from a machine, a trace or stored runs: .vl.json, .svg and .png',
    commands: [
      {
        name: 'roofline',
        summary: 'a step on its roofline: operations per byte and what was reached',
        load: () => import('./figure/roofline.js'),
      },
      {
        name: 'staircase',
        summary: 'time of a step by rows, up to --rows, under every memory runtime',
        load: () => import('./figure/staircase.js'),
      },
      {
        name: 'tornado',
        summary: 'a step at both ends of every number that was not measured',
        load: () => import('./figure/tornado.js'),
      },
      {
        name: 'timeline',
        summary: 'who is busy when in a step, and its middle layer enlarged',
        load: () => import('./figure/timeline.js'),
      },
      {
        name: 'utilization',
        summary: 'busy share by resource and step of a timed decode',
        load: () => import('./figure/utilization.js'),
      },
      {
        name: 'waterfall',
        summary: 'what each row of the ladder takes off the latency',
        load: () => import('./figure/waterfall.js'),
      },
      {
        name: 'pareto',
        summary: 'runs of a sweep by two metrics, with the front',
        load: () => import('./figure/pareto.js'),
      },
    ],
  },
  {
    name: 'report',
    summary: 'render the figures and the HTML report of a summary again',
    load: () => import('./report.js'),
  },
];
