/** What stands for the end of a text wherever tokens are shown: a model's own end token may read `<eos>` or nothing. */
export const END_SIGN = '\u25a0';
