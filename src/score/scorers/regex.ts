import { UsageError } from '../../errors.js';
import type { ScorerKind } from './scorer.js';

export const regex: ScorerKind = {
  says: 'what the first group of an expression finds is the answer',
  takes: 'EXPRESSION',
  make(source) {
    let expression: RegExp;
    try {
      expression = new RegExp(source, 'u');
    } catch (error) {
      throw new UsageError(`scorer regex: ${error instanceof Error ? error.message : String(error)}`);
    }
    return (text, answer) => {
      const found = expression.exec(text);
      return found !== null && (found[1] ?? found[0]).trim() === answer.trim();
    };
  },
};
