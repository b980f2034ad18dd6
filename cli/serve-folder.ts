import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EnvironmentError } from '../src/errors.js';

/** A server that listens to this machine alone. */
export interface Served {
  readonly address: string;
  /** Settles when the signal ended it. */
  readonly closed: Promise<void>;
}

/**
 * Serves the named files of a folder on this machine until the signal says stop.
 * @param port 0 takes a free one
 * @throws EnvironmentError when the port is taken
 */
export async function serveFolder(
  folder: string,
  types: Readonly<Record<string, string>>,
  port: number,
  signal: AbortSignal,
): Promise<Served> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    const name = path === '' ? 'index.html' : path;
    const type = Object.hasOwn(types, name) ? types[name] : undefined;
    if (type === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(type === undefined ? 404 : 405).end();
      return;
    }
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' });
    response.end(request.method === 'HEAD' ? undefined : readFileSync(join(folder, name)));
  });
  await listening(server, port);
  const closed = new Promise<void>((resolve) => {
    const close = () => {
      server.close(() => resolve());
      server.closeAllConnections();
    };
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
  });
  return { address: `http://localhost:${(server.address() as AddressInfo).port}/`, closed };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new EnvironmentError(
          `cannot listen on port ${port}: ${error.message}; take another (--port), or 0 for a free one`,
        ),
      );
    });
    server.listen(port, 'localhost', resolve);
  });
}
