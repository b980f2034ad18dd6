import { groupsOf, logicalOutcomes } from '../../pass/groups.js';
import type { Pass, PassOutcome, PassRow } from '../../pass/pass.js';
import { blockCount, blockOf, blockRange, positionsOf } from '../canvas/geometry.js';
import type { Canvas, Draft, KvEntry, TokenState, Transition } from '../canvas/types.js';
import type { LawPart } from '../rules/law-parts.js';
import type { CheckedStep, Law, Violation } from './check.js';

interface Tracked {
  state: TokenState;
  token: number;
  kv: KvEntry | null;
  draft: Draft | null;
}

interface Launched {
  readonly pass: Pass;
  readonly outcome: PassOutcome;
}

/** Replays the recorded changes on its own copy of the canvas and notes every broken law. */
export class StepChecker {
  readonly violations: Violation[] = [];
  private readonly positions: Tracked[];
  private readonly launched = new Map<string, Launched>();
  private readonly passOfVersion = new Map<number, Pass>();
  private step = 0;
  /** Positions that were stable when the step began. */
  private stableBefore = new Set<number>();

  constructor(
    private readonly start: Canvas,
    private readonly givenUp: ReadonlySet<LawPart>,
  ) {
    this.positions = start.positions.map(({ state, token, kv, draft }) => ({ state, token, kv, draft }));
  }

  at(position: number): Readonly<Tracked> {
    return this.positions[position];
  }

  check(record: CheckedStep, step: number): void {
    this.step = step;
    const { plan } = record;
    const [main, ...side] = plan.passes;
    if (plan.step !== step) this.fault('trace', null, `plan says step ${plan.step}`);
    if (main?.lane !== 'main' || side.some((pass) => pass.lane !== 'side')) {
      this.fault('trace', null, 'a step has exactly one main pass, and it comes first');
      return;
    }
    const block = this.currentBlock();
    // Further steps of one forward have no plan of their own.
    if (plan.block !== block && plan.block >= 0)
      this.fault('B1', null, `plan works on block ${plan.block}, block ${block} is open`);
    const maskedBefore = this.masked();
    this.stableBefore = new Set(this.positions.flatMap(({ state }, index) => (state === 'S' ? [index] : [])));

    plan.passes.forEach((pass, index) => {
      this.checkPass(pass);
      this.passOfVersion.set(pass.version, pass);
      const outcome = record.outcomes[index];
      if (outcome?.passId !== pass.id) this.fault('trace', null, `pass ${pass.id} has no outcome`);
      else if (pass.lane === 'side') this.launched.set(pass.id, { pass, outcome });
    });
    this.checkLogits(main);

    const landed = this.landedPasses(record);
    for (const transition of record.transitions) {
      this.checkTransition(transition, block, main, record.outcomes[0], landed);
    }
    for (const write of record.kvWrites) this.checkKvWrite(write, main, landed);
    for (const { position, draft } of record.draftWrites) {
      const now = this.positions[position];
      if (draft !== null && now.state !== 'M' && now.state !== 'IV') {
        this.fault('B2', position, `a ${now.state} position holds a draft`);
      }
      now.draft = draft;
    }
    const progressed = this.masked() < maskedBefore || record.kvWrites.length > 0 || main.kind === 'refresh';
    if (!progressed && !this.givenUp.has('D4-every-step'))
      this.fault('D4', null, 'nothing was promoted and no KV became durable');
  }

  private fault(law: Law, position: number | null, message: string): void {
    this.violations.push({ law, step: this.step, position, message });
  }

  private masked(): number {
    return this.positions.filter(({ state }) => state === 'M' || state === 'IV').length;
  }

  private currentBlock(): number {
    const blocks = blockCount(this.start);
    for (let block = 0; block < blocks; block++) {
      const open = positionsOf(blockRange(this.start, block)).some((position) => {
        const { state } = this.positions[position];
        return state === 'M' || state === 'IV';
      });
      if (open) return block;
    }
    return blocks;
  }

  private checkPass(pass: Pass): void {
    if (this.passOfVersion.has(pass.version))
      this.fault('trace', null, `version ${pass.version} is used twice`);
    for (const { position, version } of pass.reads) {
      const { kv, state } = this.positions[position];
      if (kv?.version !== version) {
        this.fault(
          'D3',
          position,
          `pass ${pass.id} reads version ${version}, the snapshot has ${kv?.version ?? 'none'}`,
        );
      }
      if ((state === 'M' || state === 'IV') && !this.givenUp.has('B2-masked-kv'))
        this.fault('B2', position, `pass ${pass.id} reads KV of a ${state} position`);
    }
    const groups = groupsOf(pass);
    const rows = pass.rows.slice(0, groups[0].rows);
    const own = new Set(rows.map((row) => row.position));
    for (const { position } of pass.reads) {
      if (own.has(position))
        this.fault('D3', position, `pass ${pass.id} reads a position it computes itself`);
    }
    for (const { position, feed } of rows) {
      const { state, token, draft } = this.positions[position];
      const masked = state === 'M' || state === 'IV';
      const known = masked ? draft?.token : token;
      const unseen = state === 'V' && this.givenUp.has('V-context');
      const maskAllowed = masked || unseen || (pass.kind === 'refresh' && pass.lane === 'side');
      if (feed !== known && !(maskAllowed && feed === this.start.maskId)) {
        this.fault('trace', position, `a ${state} row of pass ${pass.id} is fed token ${feed}`);
      }
    }
    if (pass.guidance !== undefined) this.checkGuidance(pass, rows);
    else if (pass.rows.slice(rows.length).some(({ feed }) => feed !== this.start.maskId)) {
      this.fault('trace', null, `a shadow row of pass ${pass.id} is fed a token`);
    }
    if (pass.lane === 'side') {
      for (const row of pass.logits) {
        const { position } = pass.rows[row];
        const { state, kv } = this.positions[position];
        const dependent = state === 'S' && this.givenUp.has('D1-kv');
        if ((state !== 'V' && !dependent) || kv === null)
          this.fault('D2', position, `refresh of a ${state} position outside the prefix`);
      }
    }
  }

  /** The second group of a guided pass is the first with the prompt masked. */
  private checkGuidance(pass: Pass, rows: readonly PassRow[]): void {
    const copy = pass.rows.slice(rows.length);
    const same = rows.every(({ position, feed }, index) => {
      const wanted = position < this.start.promptLength ? this.start.maskId : feed;
      return copy[index]?.position === position && copy[index]?.feed === wanted;
    });
    if (!same || copy.length !== rows.length)
      this.fault('trace', null, `the rows that guide pass ${pass.id} are not its own with the prompt masked`);
  }

  private checkLogits(main: Pass): void {
    if (main.kind !== 'denoise') return;
    const own = groupsOf(main)[0].rows;
    const scored = new Set(main.logits.filter((row) => row < own).map((row) => main.rows[row].position));
    this.positions.forEach(({ state }, position) => {
      if (state === 'IV' && !scored.has(position)) this.fault('D5', position, 'invisible but without logits');
    });
  }

  private landedPasses(record: CheckedStep): Map<string, Launched> {
    const landed = new Map<string, Launched>();
    for (const id of record.landed) {
      const found = this.launched.get(id);
      if (found === undefined) this.fault('D3', null, `refresh ${id} landed but is not under way`);
      else landed.set(id, found);
      this.launched.delete(id);
    }
    // Dropped as a whole: none of its positions may have taken anything from it.
    for (const { passId, position, reason } of record.dropped) {
      const known = landed.get(passId) ?? this.launched.get(passId);
      if (known === undefined && reason !== 'finished')
        this.fault('D3', position, `dropped refresh ${passId} is unknown`);
    }
    for (const passId of new Set(record.dropped.map((drop) => drop.passId))) {
      landed.delete(passId);
      this.launched.delete(passId);
    }
    return landed;
  }

  private checkTransition(
    t: Transition,
    block: number,
    main: Pass,
    outcome: PassOutcome | undefined,
    landed: ReadonlyMap<string, Launched>,
  ): void {
    const now = this.positions[t.position];
    if (now === undefined || now.state !== t.from || now.token !== t.tokenBefore) {
      this.fault('trace', t.position, `transition from ${t.from} does not fit the position`);
      if (now === undefined) return;
    }
    if (t.from === 'S') this.fault('D1', t.position, `a stable position changes (${t.reason})`);
    const wasMasked = t.from === 'M' || t.from === 'IV';
    const isMasked = t.to === 'M' || t.to === 'IV';
    const entered = t.reason === 'draft-carried' && blockOf(this.start, t.position) === this.currentBlock();
    if (wasMasked !== isMasked && blockOf(this.start, t.position) !== block && !entered) {
      this.fault(
        'B1',
        t.position,
        `${t.from} to ${t.to} in block ${blockOf(this.start, t.position)}, block ${block} is open`,
      );
    }
    if (!isMasked && t.token === this.start.maskId)
      this.fault('D4', t.position, `${t.to} with the mask token`);
    const carried = t.reason === 'draft-carried';
    if (carried) {
      // The draft may be of this very step.
      const known = [now.draft, ...(outcome?.rows.filter(({ position }) => position === t.position) ?? [])];
      if (!known.some((draft) => draft?.token === t.token && draft.confidence === t.confidence))
        this.fault('B3', t.position, 'carried a draft that does not exist');
      if (!this.givenUp.has('B3-fresh-logits'))
        this.fault('B3', t.position, 'a draft was accepted without fresh logits');
    } else if (wasMasked && !isMasked) {
      const law = t.reason === 'draft-accepted' ? 'B3' : 'trace';
      const scores = outcome === undefined ? [] : (logicalOutcomes(main, outcome)[0]?.rows ?? []);
      // A causal row predicts the position after its own.
      const causal = main.visibility === 'causal';
      const row = causal ? t.position - 1 : t.position;
      const fresh = outcome?.passId === main.id && scores.find(({ position }) => position === row);
      const decides = main.kind === 'denoise' || (causal && main.kind === 'prefill');
      if (!decides || !fresh || fresh.token !== t.token || fresh.confidence !== t.confidence) {
        this.fault(law, t.position, `${t.reason} without logits of this step that say so`);
      }
      if (law === 'B3' && now.draft === null)
        this.fault('B3', t.position, 'accepted a draft that does not exist');
    }
    if (t.reason === 'revoke') {
      const shadows = outcome === undefined ? [] : (logicalOutcomes(main, outcome)[1]?.rows ?? []);
      const weak = shadows.some((row) => row.position === t.position && row.asked === t.confidence);
      if (!weak || t.to !== 'IV')
        this.fault('trace', t.position, 'revoked without a shadow row that says so');
    }
    if (t.reason === 'refresh') {
      const scored = (pass: Pass): boolean =>
        pass.logits.some((row) => pass.rows[row].position === t.position);
      const onMain = main.kind === 'refresh' && scored(main);
      if (!onMain && ![...landed.values()].some(({ pass }) => scored(pass))) {
        this.fault('D3', t.position, 'refreshed by no pass that landed in this step');
      }
    }
    now.state = t.to;
    now.token = t.token;
    if (!isMasked) now.draft = null;
  }

  private checkKvWrite(write: KvEntry, main: Pass, landed: ReadonlyMap<string, Launched>): void {
    const { position } = write;
    const now = this.positions[position];
    const pass = this.passOfVersion.get(write.version);
    const row = pass?.rows.find((candidate) => candidate.position === position);
    if (pass === undefined || row === undefined || row.feed !== write.token) {
      this.fault('trace', position, `KV version ${write.version} was computed by no such row`);
    } else if (write.version !== now.kv?.version && pass !== main && !landed.has(pass.id)) {
      this.fault('D3', position, `KV of pass ${pass.id} written without its landing`);
    }
    const masked = now.state === 'M' || now.state === 'IV';
    if (masked && !this.givenUp.has('B2-masked-kv'))
      this.fault('B2', position, `a ${now.state} position writes durable KV`);
    if (this.stableBefore.has(position) && now.kv !== null && !this.givenUp.has('D1-kv'))
      this.fault('D1', position, 'KV of a stable position changes');
    if ((write.residency === 'long-term') !== (now.state === 'S')) {
      this.fault('D2', position, `${write.residency} KV for a ${now.state} position`);
    }
    if (!this.givenUp.has('D2-exact-kv') && now.state === 'S' && write.token !== now.token) {
      this.fault(
        'D2',
        position,
        `long-term KV made from token ${write.token}, the position holds ${now.token}`,
      );
    }
    now.kv = write;
  }
}
