import { describe, expect, it } from 'vitest';
import { barText } from '../../cli/progress.js';

describe('the progress bar', () => {
  it('shows what is done, of how much, and the time left once there is something to judge by', () => {
    expect(barText(0, 8, 'runs', Number.NaN)).toBe(`${'░'.repeat(30)} 0/8 runs`);
    expect(barText(0, 8, 'runs', Number.POSITIVE_INFINITY)).toBe(`${'░'.repeat(30)} 0/8 runs`);
    expect(barText(4, 8, 'runs', 7.4)).toBe(`${'█'.repeat(15)}${'░'.repeat(15)} 4/8 runs  7s left`);
    expect(barText(7, 8, 'runs', 65)).toMatch(/ 7\/8 runs {2}1m05s left$/);
    expect(barText(8, 8, 'runs', 0)).toBe(`${'█'.repeat(30)} 8/8 runs  0s left`);
    // More than was announced does not break the bar.
    expect(barText(9, 8, 'runs', 0).slice(0, 30)).toBe('█'.repeat(30));
  });
});
