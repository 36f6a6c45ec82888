/** First word of a line that asks for names; main.ts knows it before anything large is loaded. */
export const NAMES_COMMAND = '__names'
