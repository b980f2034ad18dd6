/** Options of earlier versions, for those who wrote them in a script: why each is gone. */
export const REMOVED_OPTIONS: Readonly<Record<string, string>> = {
  '--fidelity': 'there is one machine model, which times every chunk: leave the option out',
  '--checkpoint': 'finished runs are kept in ./results and found again: leave the option out',
  '--policies': 'of `ablate` it is a command of its own: verify --policies all --engine both',
};
