import { setImmediate as turn } from 'node:timers/promises';
import type { Engine } from './engine.js';

/**
 * An engine that lets the event loop turn before each pass. The passes of an in-process engine are synchronous
 * work behind promises: without this a signal such as Ctrl-C would wait for the end of the decode.
 */
export function cooperative(engine: Engine): Engine {
  return {
    name: engine.name,
    config: engine.config,
    run: async (pass) => {
      await turn();
      return engine.run(pass);
    },
    retain: (live) => engine.retain(live),
    readKv: (ref) => engine.readKv(ref),
    ranOn: engine.ranOn && (() => engine.ranOn!()),
    lastThreads: engine.lastThreads && (() => engine.lastThreads!()),
    operatorTimes: engine.operatorTimes && ((pass, repetitions) => engine.operatorTimes!(pass, repetitions)),
    dispose: () => engine.dispose(),
  };
}
