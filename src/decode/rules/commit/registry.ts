import { activeBlocks } from './active-blocks.js';
import { boundedRank } from './bounded-rank.js';
import { earlyCommit } from './early-commit.js';
import { entropyBound } from './entropy-bound.js';
import { factor } from './factor.js';
import { frechet } from './frechet.js';
import { indel } from './indel.js';
import { jointThreshold } from './joint-threshold.js';
import { klass } from './klass.js';
import { localLeap } from './local-leap.js';
import { quota } from './quota.js';
import { revocable } from './revocable.js';
import { staged } from './staged.js';
import { subBlocks } from './sub-blocks.js';
import { threshold } from './threshold.js';
import { timestep } from './timestep.js';

/** Which undecided positions of the current block get a token. */
export const COMMITS = {
  quota,
  threshold,
  timestep,
  factor,
  frechet,
  'entropy-bound': entropyBound,
  'local-leap': localLeap,
  'bounded-rank': boundedRank,
  'active-blocks': activeBlocks,
  'sub-blocks': subBlocks,
  klass,
  'joint-threshold': jointThreshold,
  indel,
  'early-commit': earlyCommit,
  revocable,
  staged,
};
