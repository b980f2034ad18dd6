import { Script } from 'node:vm';

const CALL = '__dllmNpuWithin';
const script = new Script(`${CALL}()`);

/**
 * What a function answers, unless it takes longer: then it is stopped wherever it is, also inside of a regular expression. For the
 * patterns of strangers; it bounds time alone, and may not be nested.
 * @param ms of wall time
 * @throws what `late` makes, when it takes longer
 */
export function within<T>(ms: number, run: () => T, late: () => Error): T {
  const place = globalThis as unknown as Record<string, unknown>;
  let answer: { readonly value: T } | { readonly error: unknown } | undefined;
  place[CALL] = () => {
    try {
      answer = { value: run() };
    } catch (error) {
      answer = { error };
    }
  };
  try {
    script.runInThisContext({ timeout: ms });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw late();
    throw error;
  } finally {
    delete place[CALL];
  }
  if (answer === undefined) throw late();
  if ('error' in answer) throw answer.error;
  return answer.value;
}
