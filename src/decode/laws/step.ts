import { groupsOf } from '../../pass/groups.js';
import type { Pass } from '../../pass/pass.js';
import { blockCount, blockRange, positionsOf } from '../canvas/geometry.js';
import type { KvEntry } from '../canvas/types.js';
import type { CheckedStep } from './law.js';
import { checkPass } from './pass.js';
import { isMasked, type Launched, type StepView, TrackedCanvas } from './tracked.js';
import { checkTransition } from './transition.js';

/** Replays the recorded changes on a copy of the canvas and notes every broken law. */
export class StepChecker extends TrackedCanvas {
  private readonly launched = new Map<string, Launched>();
  private readonly passOfVersion = new Map<number, Pass>();
  /** Positions that were stable when the step began. */
  private stableBefore = new Set<number>();

  /** What is only seen before a step of several is cut up: that nothing of it is missing, and nothing would be lost. */
  checkWhole({ plan, outcomes, accepted, landed, dropped }: CheckedStep, step: number): void {
    this.step = step;
    for (const pass of plan.passes) {
      const said = outcomes.find(({ passId }) => passId === pass.id)?.rows;
      const asked = pass.logits.map((row) => pass.rows[row]?.position);
      // A pass without an outcome is named as such.
      if (said === undefined) continue;
      const wrong = asked.findIndex((position, at) => said[at]?.position !== position);
      if (wrong >= 0 || said.length > asked.length)
        this.fault(
          'outcome-rows',
          asked[wrong] ?? said.at(asked.length)?.position ?? null,
          `pass ${pass.id} has logits for ${asked.length} rows, and its outcome is of ${said.length}, or of others`,
        );
    }
    if (accepted.length === 0) return;
    const [main, ...side] = plan.passes;
    for (const { group } of accepted)
      if (main === undefined || groupsOf(main)[group] === undefined)
        this.fault('accepted-unknown', null, `row group ${group} was taken for a step, and there is none`);
    if (side.length + landed.length + dropped.length > 0)
      this.fault('accepted-beside', null, 'side passes beside several steps of one forward are not checked');
  }

  check(record: CheckedStep, step: number): void {
    this.step = step;
    const { plan } = record;
    const [main, ...side] = plan.passes;
    if (plan.step !== step) this.fault('step-number', null, `plan says step ${plan.step}`);
    if (main?.lane !== 'main' || side.some((pass) => pass.lane !== 'side')) {
      this.fault('main-pass', null, 'a step has exactly one main pass, and it comes first');
      return;
    }
    const block = this.openBlock();
    // Further steps of one forward have no plan of their own.
    if (plan.block !== block && plan.block >= 0)
      this.fault('plan-block', null, `plan works on block ${plan.block}, block ${block} is open`);
    const maskedBefore = this.masked();
    this.stableBefore = new Set(this.positions.flatMap(({ state }, index) => (state === 'S' ? [index] : [])));

    plan.passes.forEach((pass, index) => {
      this.register(pass);
      checkPass(this, pass);
      const outcome = record.outcomes[index];
      if (outcome?.passId !== pass.id) this.fault('outcome-missing', null, `pass ${pass.id} has no outcome`);
      else if (pass.lane === 'side') this.launched.set(pass.id, { pass, outcome });
    });
    this.checkLogits(main);

    const landed = this.landedPasses(record);
    const view: StepView = {
      main,
      outcome: record.outcomes[0],
      block,
      landed,
      held: this.heldIn(block, record),
    };
    for (const transition of record.transitions) checkTransition(this, transition, view);
    for (const write of record.kvWrites) this.checkKvWrite(write, main, landed);
    for (const { position, draft } of record.draftWrites) {
      const now = this.positions[position];
      if (draft !== null && !isMasked(now.state))
        this.fault('decided-draft', position, `a ${now.state} position holds a draft`);
      now.draft = draft;
    }
    this.checkLanded(record, landed);
    const progressed = this.masked() < maskedBefore || record.kvWrites.length > 0 || main.kind === 'refresh';
    if (!progressed && !this.givenUp.has('D4-every-step'))
      this.fault('progress', null, 'nothing was promoted and no KV became durable');
  }

  /** Tokens of the open block: those before the step, and those that its rows said. */
  private heldIn(block: number, { transitions }: CheckedStep): ReadonlySet<number> {
    const own = block < blockCount(this.start) ? positionsOf(blockRange(this.start, block)) : [];
    const said = transitions.filter(({ reason }) => reason === 'commit' || reason === 'revise');
    return new Set([...own.map((at) => this.positions[at].token), ...said.map(({ token }) => token)]);
  }

  private register(pass: Pass): void {
    if (this.passOfVersion.has(pass.version))
      this.fault('version-twice', null, `version ${pass.version} is used twice`);
    this.passOfVersion.set(pass.version, pass);
  }

  private checkLogits(main: Pass): void {
    if (main.kind !== 'denoise') return;
    const own = groupsOf(main)[0].rows;
    const scored = new Set(main.logits.filter((row) => row < own).map((row) => main.rows[row].position));
    this.positions.forEach(({ state }, position) => {
      if (state === 'IV' && !scored.has(position))
        this.fault('invisible-unscored', position, 'invisible but without logits');
    });
  }

  private landedPasses(record: CheckedStep): Map<string, Launched> {
    const landed = new Map<string, Launched>();
    for (const id of record.landed) {
      const found = this.launched.get(id);
      if (found === undefined)
        this.fault('landing-unknown', null, `refresh ${id} landed but is not under way`);
      else landed.set(id, found);
      this.launched.delete(id);
    }
    for (const { passId, position } of record.dropped) {
      if (!landed.has(passId) && !this.launched.has(passId))
        this.fault('drop-unknown', position, `dropped refresh ${passId} is not under way`);
    }
    // Dropped as a whole: none of its positions may have taken anything from it.
    for (const { passId } of record.dropped) {
      landed.delete(passId);
      this.launched.delete(passId);
    }
    if (record.plan.joins === true) {
      const left = record.plan.passes.find(({ id }) => this.launched.has(id));
      if (left !== undefined)
        this.fault('joined-landing', null, `refresh ${left.id} is left over by a step that waits for it`);
    }
    return landed;
  }

  /** Every position of a refresh that landed was refreshed: its token scored anew, or only its KV rewritten. */
  private checkLanded({ transitions, kvWrites }: CheckedStep, landed: ReadonlyMap<string, Launched>): void {
    for (const { pass } of landed.values()) {
      for (const row of pass.logits) {
        const { position } = pass.rows[row];
        const scored = transitions.some((t) => t.reason === 'refresh' && t.position === position);
        const written = kvWrites.some((w) => w.position === position && w.version === pass.version);
        if (!scored && !written)
          this.fault('landing-half', position, `refresh ${pass.id} landed, but not at this position`);
      }
    }
  }

  private checkKvWrite(write: KvEntry, main: Pass, landed: ReadonlyMap<string, Launched>): void {
    const { position } = write;
    const now = this.positions[position];
    const pass = this.passOfVersion.get(write.version);
    const row = pass?.rows.find((candidate) => candidate.position === position);
    if (pass === undefined || row === undefined || row.feed !== write.token) {
      this.fault('kv-uncomputed', position, `KV version ${write.version} was computed by no such row`);
    } else if (write.version !== now.kv?.version && pass !== main && !landed.has(pass.id)) {
      this.fault('kv-without-landing', position, `KV of pass ${pass.id} written without its landing`);
    }
    if (pass?.adapter === true)
      this.fault(
        'adapter-kv',
        position,
        `KV of pass ${pass.id}, which was computed with the adapter for drafts`,
      );
    if (isMasked(now.state) && !this.givenUp.has('B2-masked-kv'))
      this.fault('masked-kv', position, `a ${now.state} position writes durable KV`);
    if (this.stableBefore.has(position) && now.kv !== null && !this.givenUp.has('D1-kv'))
      this.fault('stable-kv', position, 'KV of a stable position changes');
    if (write.residency === 'long-term' && now.state !== 'S')
      this.fault('long-term-state', position, `long-term KV for a ${now.state} position`);
    if (write.residency === 'mutable' && now.state === 'S')
      this.fault('mutable-state', position, 'mutable KV for a stable position');
    if (!this.givenUp.has('D2-exact-kv') && now.state === 'S' && write.token !== now.token) {
      this.fault(
        'long-term-token',
        position,
        `long-term KV made from token ${write.token}, the position holds ${now.token}`,
      );
    }
    now.kv = write;
  }
}
