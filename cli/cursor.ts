/** What hides a terminal's cursor, and shows it again (ECMA-48, DECTCEM). */
export const HIDE_CURSOR = '\u001b[?25l';
export const SHOW_CURSOR = '\u001b[?25h';
