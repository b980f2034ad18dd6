/** Whether a text answers a question. */
export interface Scorer {
  /** As it is asked for: `exact`, `regex:...`. */
  readonly name: string;
  /** @param answer what the data calls right */
  isRight(text: string, answer: string): boolean;
}

/** A kind of scorer. */
export interface ScorerKind {
  /** One line for users. */
  readonly says: string;
  /** What follows the name behind a colon; null takes nothing. */
  readonly takes: string | null;
  /** @throws UsageError for an argument that means nothing */
  make(argument: string): Scorer['isRight'];
}
