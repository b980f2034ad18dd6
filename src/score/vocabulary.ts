/** Every word the tasks use. Each becomes exactly one token when a space stands before it. */

export const ANIMALS = [
  'ant',
  'bat',
  'cat',
  'cow',
  'dog',
  'elk',
  'fox',
  'hen',
  'owl',
  'pig',
  'rat',
  'yak',
] as const;
export const PLACES = [
  'bar',
  'bay',
  'dam',
  'den',
  'gym',
  'inn',
  'lab',
  'pit',
  'pub',
  'spa',
  'sea',
  'zoo',
] as const;
export const THINGS = [
  'bag',
  'cup',
  'fan',
  'hat',
  'jar',
  'key',
  'lid',
  'map',
  'mop',
  'net',
  'pen',
  'pot',
] as const;
export const NAMES = ['Ann', 'Bob', 'Dan', 'Eva', 'Ida', 'Joe', 'Max', 'Tom'] as const;
export const COLOURS = ['blue', 'gold', 'grey', 'pink', 'red', 'tan'] as const;

/** Numbers that are single tokens: 0 to this. */
export const MAX_NUMBER = 12;

export const TASK_WORDS = ['sort', 'flip', 'calc', 'go', 'count', 'pick', 'find'] as const;

/** What a prompt calls its tasks, in order. */
export const LETTERS = ['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const;

/** A response may call its tasks any of these, but all of them the same. */
export const LABELS = ['part', 'task', 'item'] as const;
/** Any of these may stand before an answer, each time anew. */
export const CONNECTIVES = ['so', 'thus', 'hence'] as const;

export const OTHER_WORDS = ['and', 'left'] as const;
export const SYMBOLS = ['+', '-', '=', ':', ';', ',', '.'] as const;

/** LLaDA's special tokens, in id order from 0. */
export const SPECIAL_TOKENS = [
  '<|startoftext|>',
  '<|endoftext|>',
  '<|start_header_id|>',
  '<|end_header_id|>',
  '<|eot_id|>',
  '<|mdm_mask|>',
] as const;
export const START_ID = 0;
export const END_ID = 1;
export const END_OF_TURN_ID = 4;
export const MASK_ID = 5;

export function allWords(): string[] {
  const numbers = Array.from({ length: MAX_NUMBER + 1 }, (_, n) => String(n));
  return [
    ...SYMBOLS,
    ...numbers,
    ...TASK_WORDS,
    ...LABELS,
    ...CONNECTIVES,
    ...OTHER_WORDS,
    ...ANIMALS,
    ...PLACES,
    ...THINGS,
    ...NAMES,
    ...COLOURS,
    ...LETTERS,
  ];
}
