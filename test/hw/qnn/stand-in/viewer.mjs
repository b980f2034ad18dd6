// Stands in for qnn-profile-viewer: the log of the stand-in qnn-net-run is the number of its executions.
import { readFileSync, writeFileSync } from 'node:fs';

const args = process.argv.slice(2);
const value = (flag) => args[args.indexOf(flag) + 1];
const executions = Number(readFileSync(value('--input_log'), 'utf8'));
const rows = Array.from({ length: executions }, (_, k) => [
  `0,EXECUTE,${900 + k},US,NETRUN,ROOT,Graph 0: step`,
  `0,EXECUTE,${700 + k},US,BACKEND,ROOT,QNN accelerator (execute) time`,
  `0,EXECUTE,${100000 + k},CYCLES,BACKEND,ROOT,Accelerator (execute) time (cycles)`,
  `0,EXECUTE,${60000 + k},CYCLES,BACKEND,SUB-EVENT,blk.0.attn_q:OpId_7 (cycles)`,
  `0,EXECUTE,${800 + k},US,BACKEND,ROOT,QNN (execute) time`,
]).flat();
const header =
  'Msg Timestamp, Message, Time, Unit of Measurement, Timing Source, Event Level, Event Identifier';
writeFileSync(value('--output'), `${['Log file: stand-in', header, ...rows].join('\n')}\n`);
