/**
 * The host process: loads ONNX Runtime and a plugin, and does what its parent asks. Nothing here has to survive
 * a crash; the parent does. Requests are answered strictly in order.
 */
import { readFileSync } from 'node:fs';
import { HostSession } from './host-session.js';
import { OrtApi, type Pointer } from './ort-api.js';
import { type Reply, type Request, requestSchema } from './protocol.js';

/** ORT_LOGGING_LEVEL_WARNING: a provider says only in the log why it declined a graph. */
const LOG_WARNINGS = 2;

let api: OrtApi | undefined;
let environment: Pointer | undefined;
let plugin: string | undefined;
const sessions = new Map<string, HostSession>();

function handle(request: Request): Reply {
  switch (request.kind) {
    case 'start':
      return start(request);
    case 'open':
      return open(request);
    case 'run':
      return { kind: 'ran', ms: sessionOf(request.session).run() };
    case 'close':
      sessionOf(request.session).close();
      sessions.delete(request.session);
      return { kind: 'done' };
    case 'stop':
      stop();
      return { kind: 'done' };
  }
}

function start({ library, plugin: wanted }: Extract<Request, { kind: 'start' }>): Reply {
  const loaded = new OrtApi(library);
  api = loaded;
  dieWithParent(loaded);
  const created = loaded.make('CreateEnv', LOG_WARNINGS, 'dllm-npu');
  environment = created;
  if (wanted !== null) {
    loaded.check('RegisterExecutionProviderLibrary', created, wanted.name, wanted.path);
    plugin = wanted.name;
  }
  const providers = loaded.list('GetEpDevices', created).map((device) => ({
    name: String(loaded.plain('EpDevice_EpName', device)),
    vendor: String(loaded.plain('EpDevice_EpVendor', device)),
  }));
  return { kind: 'started', version: loaded.version, providers };
}

function open(request: Extract<Request, { kind: 'open' }>): Reply {
  if (api === undefined || environment === undefined) throw new Error('the host was not started');
  const began = performance.now();
  const session = HostSession.open(api, environment, request);
  sessions.set(request.session, session);
  const ms = performance.now() - began;
  return { kind: 'opened', ms, assignments: session.assignments(), libraries: loadedLibraries() };
}

/** What the process has mapped is what takes part, whatever was asked for. */
function loadedLibraries(): string[] {
  if (process.platform !== 'linux') return [];
  const paths = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .map((line) => line.replace(/^(\S+\s+){5}/, ''))
    .filter((path) => /\.(so(\.[\w.]+)?|node)$/.test(path));
  return [...new Set(paths)].sort();
}

function sessionOf(name: string): HostSession {
  const session = sessions.get(name);
  if (session === undefined) throw new Error(`no session ${name}`);
  return session;
}

/** In the order that backends ask for: sessions, plugin, environment. */
function stop(): void {
  for (const session of sessions.values()) session.close();
  sessions.clear();
  if (api === undefined || environment === undefined) return;
  if (plugin !== undefined) api.check('UnregisterExecutionProviderLibrary', environment, plugin);
  api.plain('ReleaseEnv', environment);
  environment = undefined;
}

/** A hung native call cannot notice that the parent is gone; the kernel can. */
function dieWithParent({ koffi }: OrtApi): void {
  if (process.platform !== 'linux') return;
  const PR_SET_PDEATHSIG = 1;
  const SIGKILL = 9;
  const prctl = koffi
    .load(null)
    .func('prctl', 'int', ['int', 'uint64_t', 'uint64_t', 'uint64_t', 'uint64_t']);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

process.on('message', (message) => {
  let reply: Reply;
  try {
    reply = handle(requestSchema.parse(message));
  } catch (error) {
    reply = { kind: 'refused', message: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(reply);
});
process.on('disconnect', () => process.exit(0));
