/** @returns what puts an environment back: changed and deleted variables as they were, new ones gone */
export function keepEnvironment(env: NodeJS.ProcessEnv = process.env): () => void {
  const kept = { ...env };
  return () => {
    for (const name of Object.keys(env)) if (!(name in kept)) delete env[name];
    Object.assign(env, kept);
  };
}
