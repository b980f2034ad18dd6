import { render } from 'preact';
import { App } from './app.js';
import { Client } from './client.js';

const root = document.getElementById('app')!;

async function start(): Promise<void> {
  const client = new Client();
  const catalogue = await client.open();
  root.replaceChildren();
  render(<App client={client} catalogue={catalogue} />, root);
}

start().catch((error: unknown) => {
  root.textContent = `The explorer could not start: ${error instanceof Error ? error.message : String(error)}`;
});
