import type { ScorerKind } from './scorer.js';

const words = (text: string): string => text.trim().split(/\s+/).join(' ');

export const exact: ScorerKind = {
  says: 'the answer word for word, whatever the spaces',
  takes: null,
  make: () => (text, answer) => words(text) === words(answer),
};
