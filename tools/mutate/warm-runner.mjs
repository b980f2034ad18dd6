import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { TestRunner } from 'vitest';
import { note, read } from './journal.mjs';

const { journal, alone, may } = JSON.parse(readFileSync(process.env.DLLM_MUTATE_RUN, 'utf8'));
const switches = (globalThis.__stryker__ ??= {});
/** An endless loop ends when its fault was met so many times more often than without it. */
const HITS_FACTOR = 100;

switches.mutantCoverage ??= { static: {}, perTest: {} };
/** Whether a fault that was given as a text is on; counted as Stryker's own switches count. */
globalThis.__planted = (id) => {
  if (switches.activeMutant !== id) {
    const hits = switches.mutantCoverage.static;
    hits[id] = (hits[id] ?? 0) + 1;
    return false;
  }
  if (switches.hitCount !== undefined && ++switches.hitCount > switches.hitLimit) throw new Error('a fault is met without end');
  return true;
};

const fileOf = ({ file }) => relative(process.cwd(), file.filepath);

function nameOf(task) {
  const names = [];
  for (let at = task; at !== undefined && at !== task.file; at = at.suite) names.unshift(at.name);
  return `${fileOf(task)}: ${names.join(' ')}`;
}

/** What was hit since the last call. */
function takeHits() {
  const hits = switches.mutantCoverage?.static ?? {};
  // What counts holds on to this object: its entries are taken out, it stays.
  const taken = { ...hits };
  for (const id of Object.keys(hits)) delete hits[id];
  return taken;
}

/**
 * Runs every test once as it is, which says which faults it meets, and then again with each of those that no test before it
 * noticed: in the same process, with everything loaded. A test that then fails with no fault on shows that a fault left something
 * behind: those that it noticed are suspects. With `alone`, one fault is on from the start, as if it were in the source.
 */
export default class WarmRunner extends TestRunner {
  known = read(journal);
  /** Of `alone`: noticed, or a warm process is to be left. */
  isOver = false;

  constructor(config) {
    super(config);
    if (alone === null) return;
    switches.activeMutant = alone;
    switches.hitLimit = [...this.known.tests.values()].reduce((sum, { hits }) => sum + (hits[alone] ?? 0), 1000) * HITS_FACTOR;
    switches.hitCount = 0;
  }

  onCollectStart(file) {
    super.onCollectStart(file);
    takeHits();
  }

  async onBeforeRunSuite(suite) {
    if (this.isOver) suite.mode = 'skip';
    await super.onBeforeRunSuite(suite);
    if (alone === null && 'filepath' in suite) note(journal, { loads: fileOf(suite), ids: Object.keys(takeHits()) });
  }

  async onAfterRunSuite(suite) {
    if (alone !== null) {
      if (suite.result?.state === 'fail' && !this.isOver) this.#notice(alone, nameOf(suite), 0);
    } else if ('filepath' in suite && !this.isOver) {
      this.#hooks(suite);
      note(journal, { ended: fileOf(suite) });
    }
    await super.onAfterRunSuite(suite);
  }

  /** What hooks hit, beside what they hit before. */
  #hooks(task) {
    const file = fileOf(task);
    const ids = new Set([...(this.known.hooks.get(file) ?? []), ...Object.keys(takeHits())]);
    if (ids.size === 0) return;
    this.known.hooks.set(file, ids);
    note(journal, { hooks: file, ids: [...ids] });
  }

  async onBeforeRunTask(test) {
    const known = this.known.tests.get(nameOf(test));
    // Alone: what meets it, or is in a file that meets it as it is loaded; all where nothing is known to.
    const isMet = [...this.known.tests.values()].some(({ hits }) => hits[alone] !== undefined);
    const isMetBefore = ['hooks', 'loads'].some((when) => this.known[when].get(fileOf(test))?.has(alone));
    const hits = alone === null ? known === undefined || this.#todo(test, known.hits).length > 0 : !isMet || known?.hits[alone] !== undefined || isMetBefore;
    if (this.isOver || !hits) test.mode = 'skip';
    await super.onBeforeRunTask(test);
  }

  #todo(test, hits) {
    const mayNotice = (id) => may[id]?.includes(fileOf(test)) ?? true;
    return Object.keys(hits).filter((id) => mayNotice(id) && !this.known.verdicts.has(id) && !this.known.suspects.has(id) && !this.known.tried.has(`${id} ${nameOf(test)}`));
  }

  async runTask(test) {
    const run = TestRunner.getTestFn(test);
    const name = nameOf(test);
    if (alone !== null) {
      switches.hitCount = 0;
      note(journal, { trying: alone, test: name });
      await run();
      return;
    }
    this.#hooks(test);
    note(journal, { cleaning: name });
    const startedMs = performance.now();
    await run();
    const hits = takeHits();
    const ms = Math.round(performance.now() - startedMs);
    note(journal, { clean: name, ms, hits });
    const noticed = [];
    for (const id of this.#todo(test, hits)) {
      note(journal, { trying: id, test: name });
      const takenMs = await this.#isNoticed(test, run, id, hits[id]);
      if (takenMs === null) continue;
      this.#notice(id, name, takenMs);
      noticed.push(id);
    }
    if (noticed.length === 0 || (await this.#attempt(test, run))) return;
    for (const id of noticed) note(journal, { suspect: id, test: name });
    this.isOver = true;
  }

  #notice(id, by, ms) {
    const timedOut = switches.hitCount > switches.hitLimit;
    note(journal, { noticed: id, by, ms, timedOut });
    this.known.verdicts.set(id, { by });
    if (alone !== null) this.isOver = true;
  }

  /** @returns the milliseconds until a test noticed; null when it did not */
  async #isNoticed(test, run, id, hits) {
    switches.hitLimit = hits * HITS_FACTOR;
    switches.hitCount = 0;
    const startedMs = performance.now();
    switches.activeMutant = id;
    try {
      return (await this.#attempt(test, run)) ? null : Math.round(performance.now() - startedMs);
    } finally {
      switches.activeMutant = undefined;
    }
  }

  /** Runs a test again as vitest would: the hooks around each test, and a result of its own. @returns whether it passed */
  async #attempt(test, run) {
    const { result } = test;
    test.result = { state: 'run', startTime: Date.now(), retryCount: 0 };
    try {
      await this.#around(test, 'afterEach');
      await this.#around(test, 'beforeEach');
      this.onBeforeTryTask(test);
      await run();
      this.onAfterTryTask(test);
      return test.result.state !== 'fail';
    } catch {
      return false;
    } finally {
      test.result = result;
      takeHits();
    }
  }

  async #around(test, when) {
    const suites = [];
    for (let suite = test.suite ?? test.file; suite !== undefined; suite = suite.suite ?? (suite === suite.file ? undefined : suite.file)) suites.unshift(suite);
    for (const suite of when === 'beforeEach' ? suites : suites.reverse()) {
      for (const hook of TestRunner.getSuiteHooks(suite)[when]) await hook(test.context, suite);
    }
  }

  onAfterRunTask(test) {
    if (test.result?.state === 'fail') {
      if (alone === null) {
        note(journal, { failed: nameOf(test), message: test.result.errors?.[0]?.message ?? '' });
        this.isOver = true;
      } else if (!this.isOver) this.#notice(alone, nameOf(test), Math.round(test.result.duration ?? 0));
    }
    super.onAfterRunTask(test);
  }
}
