import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EnvironmentError } from '../src/errors.js';

/** A server that listens to this machine alone. */
export interface Served {
  readonly address: string;
  /** Settles when the signal ended it. */
  readonly closed: Promise<void>;
}

/**
 * Serves files by name on this machine until the signal says stop.
 * @param port 0 takes a free one
 * @throws EnvironmentError when the port is taken
 */
export async function serveFiles(
  files: ReadonlyMap<string, Buffer>,
  types: Readonly<Record<string, string>>,
  port: number,
  signal: AbortSignal,
): Promise<Served> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    const name = path === '' ? 'index.html' : path;
    const file = files.get(name);
    if (file === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(file === undefined ? 404 : 405).end();
      return;
    }
    response.writeHead(200, { 'content-type': types[name], 'cache-control': 'no-cache' });
    response.end(request.method === 'HEAD' ? undefined : file);
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
