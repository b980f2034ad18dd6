import { readFileSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that say why they take longer than 20 s begin first: one that began last would be waited for alone. Where a run before
 * has left its durations, it is the order that those give anyway.
 */
export class HeavyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const heavy = new Set(sorted.filter(({ moduleId }) => isHeavy(readFileSync(moduleId, 'utf8'))));
    return [...heavy, ...sorted.filter((file) => !heavy.has(file))];
  }
}

const isHeavy = (text: string): boolean => /^\/\/ Longer than 20 s/m.test(text);
