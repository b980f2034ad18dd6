import { expect, it } from 'vitest';
import { keepEnvironment } from '../support/environment.js';

it('an environment is put back: what was changed, deleted or added', () => {
  const env: NodeJS.ProcessEnv = { HOME: '/a', PATH: '/b', EMPTY: '' };
  const restore = keepEnvironment(env);
  env.HOME = '/c';
  env.XDG_CACHE_HOME = '/d';
  delete env.PATH;
  delete env.EMPTY;
  restore();
  expect(env).toEqual({ HOME: '/a', PATH: '/b', EMPTY: '' });
});
