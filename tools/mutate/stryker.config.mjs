/** What all parts share; run.mjs adds the files. */
export const base = {
  testRunner: 'vitest',
  vitest: { configFile: 'tools/mutate/vitest.config.mjs', related: false },
  plugins: ['@stryker-mutator/vitest-runner'],
  coverageAnalysis: 'perTest',
  concurrency: 1,
  tempDirName: '.stryker-tmp',
  ignorePatterns: ['/dist', '/docs', '/results', '/.ci', '/bench', '/notebooks', '/tools/docs', '/tools/mutate/node_modules', '/.stryker'],
  // TypeScript 7 has no JavaScript API, which rewriting tsconfig.json would take; nothing in it needs rewriting.
  tsconfigFile: 'tools/mutate/none.json',
  // Texts: a kind or a name is a closed type, so the compiler refuses another one; the rest is prose.
  mutator: { excludedMutations: ['StringLiteral'] },
  // What runs once when a file is loaded: tables and registries. Each would need a process of its own.
  ignoreStatic: true,
  reporters: ['json', 'progress-append-only'],
  incremental: true,
  allowConsoleColors: false,
  // Beside three times what the tests took: on a busy machine a mutant is slow and not noticed. Endless loops are counted, not timed.
  timeoutMS: 240_000,
  timeoutFactor: 3,
  // A busy machine takes longer than five minutes for the tests of a room.
  dryRunTimeoutMinutes: 60,
};
