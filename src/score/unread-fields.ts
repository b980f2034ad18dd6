import { DataError } from '../errors.js';

const INTO_PROMPT = 'write it into the prompt';
const BY_OPTION = 'how answers are made is said on the command line, for all lines alike';

/** Fields of data files elsewhere that change what is asked or how it is answered, and what to do instead. */
const UNREAD: Readonly<Record<string, string>> = {
  system: 'make it the first of "messages", or use --system',
  system_prompt: 'make it the first of "messages", or use --system',
  tools: 'tools are not supported',
  functions: 'tools are not supported',
  choices: INTO_PROMPT,
  options: INTO_PROMPT,
  context: INTO_PROMPT,
  passage: INTO_PROMPT,
  documents: INTO_PROMPT,
  instruction: INTO_PROMPT,
  input: INTO_PROMPT,
  suffix: 'what stands behind masks is part of the prompt: use --mask-token',
  image: 'only text is read',
  images: 'only text is read',
  audio: 'only text is read',
  max_tokens: BY_OPTION,
  max_new_tokens: BY_OPTION,
  temperature: BY_OPTION,
  top_p: BY_OPTION,
  top_k: BY_OPTION,
  stop: BY_OPTION,
  seed: BY_OPTION,
};

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** @throws DataError naming the first field that would be dropped */
export function refuseUnread(line: Readonly<Record<string, unknown>>, where: string): void {
  const found = Object.keys(line).find((key) => Object.hasOwn(UNREAD, key) && !isEmpty(line[key]));
  if (found !== undefined) throw new DataError(`${where}: field "${found}" is not read: ${UNREAD[found]}`);
}
