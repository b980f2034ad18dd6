import { z } from 'zod';
import { flag, path, runs } from './groups.js';
import { metric } from './run-list.js';

/** Which stored runs are meant. */
export const runFilter = {
  results: runs.results.describe('where runs are kept (default: ./results)'),
  sweep: path('only the runs of a sweep file, in its order'),
  kind: z.string().optional().describe('only runs of this kind'),
  where: z
    .array(z.string())
    .default([])
    .describe('only runs with this option, e.g. memory=somr; repeatable')
    .meta({ repeat: true, value: 'option=value' }),
  refused: flag('only combinations that cannot run'),
  anyCode: flag('also runs of other versions of the code'),
  metric,
};
