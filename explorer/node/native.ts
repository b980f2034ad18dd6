import { EnvironmentError } from '../../src/errors.js';

function elsewhere(): never {
  throw new EnvironmentError('this engine is native code: it runs on the command line');
}

// Stand for the engines that a browser cannot run, by the names under which the registry opens them.
export const createOrtEngine = elsewhere;
export const createGgmlEngine = elsewhere;
/** tfjs has no native backend here. */
export const availableBackend = async (backend: string): Promise<string> =>
  backend === 'node' ? elsewhere() : backend;
