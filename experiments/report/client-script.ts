import { END_SIGN } from '../../src/decode/trace/end-sign.js';
import { STATE_COLORS } from '../figures/carpet.js';
import { UNIT_WORDS } from '../figures/words.js';

/**
 * The report's only script: the carpet that can be scrubbed, and downloads of the embedded data. It reads the JSON
 * in the page and nothing else; without it the page shows the static figure.
 */
export const CLIENT_SCRIPT = `
'use strict';
const summary = JSON.parse(document.getElementById('summary').textContent);
const COLORS = ${JSON.stringify(STATE_COLORS)};
const CROSS = [[-1, -.33], [-.33, -.33], [-.33, -1], [.33, -1], [.33, -.33], [1, -.33], [1, .33], [.33, .33], [.33, 1], [-.33, 1], [-.33, .33], [-1, .33]];
const UNITS = ${JSON.stringify(UNIT_WORDS)};
const NAMES = { M: 'masked', I: 'invisible', V: 'visible', S: 'stable' };

function save(name, text, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
for (const button of document.querySelectorAll('[data-save]')) {
  button.addEventListener('click', () => {
    if (button.dataset.json !== undefined) {
      const data = button.dataset.json.split('.').reduce((part, key) => part[key], summary);
      save(button.dataset.save + '.json', JSON.stringify(data, null, 1) + '\\n', 'application/json');
    } else if (button.dataset.save === 'summary') {
      save('summary.json', JSON.stringify(summary, null, 2) + '\\n', 'application/json');
    } else {
      const svg = document.querySelector('#' + button.dataset.save + ' svg');
      save(button.dataset.save + '.svg', svg.outerHTML, 'image/svg+xml');
    }
  });
}

for (const details of document.querySelectorAll('.json')) {
  details.addEventListener('toggle', () => {
    const pre = details.querySelector('pre');
    if (!details.open || pre.textContent !== '') return;
    const data = details.dataset.path.split('.').reduce((part, key) => part[key], summary);
    pre.textContent = JSON.stringify(data, null, 1);
  });
}
const tip = document.querySelector('.tip');
function showTip(event, text) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(innerWidth - box.width - 4, event.clientX + 14)) + 'px';
  tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18) + 'px';
}
function hideTip() { tip.hidden = true; }
for (const plate of document.querySelectorAll('.plate')) {
  plate.addEventListener('pointermove', (event) => {
    const mark = event.target.closest('path[aria-label]');
    if (mark === null) hideTip(); else showTip(event, mark.getAttribute('aria-label').replaceAll('; ', '\\n'));
  });
  plate.addEventListener('pointerleave', hideTip);
}
addEventListener('keydown', (event) => { if (event.key === 'Escape') hideTip(); });

function player(root) {
  const pick = root.querySelector('select');
  const range = root.querySelector('input');
  const play = root.querySelector('button');
  const status = root.querySelector('output');
  const canvas = root.querySelector('canvas');
  const lanes = root.querySelector('.lanes canvas');
  const text = root.querySelector('.decoded');
  const prompt = root.querySelector('.prompt');
  const expected = root.querySelector('.expected');
  let carpet, timer = null;

  function load() {
    carpet = summary.carpet[Number(pick.value)];
    range.max = String(carpet.steps.length - 1);
    prompt.textContent = carpet.prompt.text;
    expected.textContent = carpet.expected;
    show(Math.min(Math.floor(carpet.steps.length / 2), carpet.steps.length - 1));
  }
  function show(index) {
    range.value = String(index);
    const step = carpet.steps[index];
    const decided = [...step.states].filter((s) => s === 'V' || s === 'S').length;
    const time = step.endMs === null ? '' : ', ' + (step.endMs / 1000).toFixed(2) + ' s simulated';
    status.textContent = 'after step ' + step.step + ' of ' + (carpet.steps.length - 1) + ': ' + decided + ' of ' +
      carpet.genLength + ' tokens' + time;
    drawText(index, step);
    drawCarpet(index);
    drawLanes(index);
  }
  const ENDS = () => carpet.steps.map((step) => step.endMs);
  function laneNames() {
    const names = Object.keys(carpet.steps[0].busy || {});
    return names.filter((name) => carpet.steps.some((step) => step.busy[name] > 0));
  }
  /** One lane per resource, one cell per step, as wide as the step took: the more it stands out, the busier. */
  function drawLanes(current) {
    const names = laneNames();
    lanes.parentElement.hidden = names.length === 0;
    if (names.length === 0) return;
    const ratio = window.devicePixelRatio || 1, height = 17;
    const left = 84, width = lanes.clientWidth - left - 58, total = carpet.steps[carpet.steps.length - 1].endMs;
    lanes.style.height = names.length * height + 36 + 'px';
    lanes.width = lanes.clientWidth * ratio;
    lanes.height = (names.length * height + 36) * ratio;
    const c = lanes.getContext('2d');
    c.scale(ratio, ratio);
    c.font = '11px system-ui, sans-serif';
    const ends = ENDS(), x = (ms) => left + (ms / total) * width;
    names.forEach((name, lane) => {
      const y = 4 + lane * height;
      carpet.steps.forEach((step, index) => {
        const from = x(index === 0 ? 0 : ends[index - 1]);
        const light = Math.round(97 - 77 * step.busy[name]);
        c.fillStyle = 'hsl(207 60% ' + light + '%)';
        c.fillRect(from, y, Math.max(1, x(ends[index]) - from), height - 3);
      });
      c.fillStyle = '#333333'; c.textBaseline = 'middle';
      c.textAlign = 'right'; c.fillText(UNITS[name] || name, left - 6, y + 7);
      c.textAlign = 'left';
      c.fillText(Math.round(carpet.steps[current].busy[name] * 100) + ' %', left + width + 8, y + 7);
    });
    const from = x(current === 0 ? 0 : ends[current - 1]);
    c.strokeStyle = '#D55E00'; c.lineWidth = 2;
    c.strokeRect(from, 3, Math.max(2, x(ends[current]) - from), names.length * height - 1);
    c.fillStyle = '#333333'; c.textBaseline = 'top';
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      c.textAlign = share === 0 ? 'left' : share === 1 ? 'right' : 'center';
      c.fillText((total * share / 1000).toFixed(1), left + share * width, names.length * height + 5);
    }
    c.textAlign = 'center';
    c.fillText('simulated seconds (right: busy in this step)', left + width / 2, names.length * height + 19);
  }
  /** What is known of a position after a step: its state, its token, the confidence it was last scored with. */
  function says(p, index) {
    const step = carpet.steps[index], token = step.tokens[p];
    const draft = token < 0 ? step.drafts.find(([at]) => at === p) : undefined;
    const piece = token >= 0 ? token : draft === undefined ? -1 : draft[1];
    const parts = ['position ' + p + ': ' + NAMES[step.states[p]] + (draft === undefined ? '' : ', draft')];
    if (piece >= 0) parts.push('token: ' + (piece === carpet.endPiece ? 'end of text ${END_SIGN}' : JSON.stringify(carpet.pieces[piece])));
    for (let at = index; piece >= 0 && at >= 0; at--) {
      const found = (carpet.steps[at].confidences || []).find(([where]) => where === p);
      if (found !== undefined) { parts.push('confidence: ' + found[1]); break; }
    }
    if (step.revised.includes(p)) parts.push('revised in this step');
    if (step.refreshed.includes(p)) parts.push('CPU refresh landed in this step');
    return parts.join('\\n');
  }
  function drawText(index, step) {
    const drafts = new Map(step.drafts);
    const before = index === 0 ? null : carpet.steps[index - 1];
    const spans = [...step.states].map((state, p) => {
      const span = document.createElement('span');
      const token = step.tokens[p];
      const draft = token < 0 && drafts.has(p);
      const piece = token >= 0 ? token : draft ? drafts.get(p) : -1;
      const end = piece >= 0 && piece === carpet.endPiece;
      span.className = end && !draft ? 't-end' : draft ? 't-draft' : 't-' + state;
      span.textContent = end ? ' ${END_SIGN}' : piece >= 0 ? carpet.pieces[piece] :
        state === 'I' ? ' _' : ' \\u00b7';
      if (before !== null && before.tokens[p] !== token) span.classList.add('t-now');
      return span;
    });
    text.replaceChildren(...spans);
  }
  function geometry() {
    const width = canvas.clientWidth;
    const steps = carpet.steps.length;
    const rowHeight = Math.max(2, Math.min(10, 340 / steps));
    return { left: 44, top: 6, width: width - 52, rowHeight, height: rowHeight * steps };
  }
  function drawCarpet(current) {
    const g = geometry(), ratio = window.devicePixelRatio || 1;
    canvas.style.height = g.height + 40 + 'px';
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = (g.height + 40) * ratio;
    const c = canvas.getContext('2d');
    c.scale(ratio, ratio);
    const cell = g.width / carpet.genLength;
    carpet.steps.forEach((step, index) => {
      const y = g.top + index * g.rowHeight;
      const letters = [...step.states];
      for (const [p] of step.drafts) if (letters[p] === 'M' || letters[p] === 'I') letters[p] = 'D';
      for (let p = 0; p < carpet.genLength; p++) {
        c.fillStyle = COLORS[letters[p]];
        c.fillRect(g.left + p * cell, y, cell + 0.5, g.rowHeight + 0.5);
      }
    });
    c.fillStyle = '#111111';
    // The signs of the printed figure.
    const size = Math.max(1.2, Math.min(4, g.rowHeight * 0.45, cell * 0.45));
    const sign = (p, index, points) => {
      c.beginPath();
      for (const [u, v] of points)
        c.lineTo(g.left + (p + 0.5) * cell + u * size, g.top + (index + 0.5) * g.rowHeight + v * size);
      c.fill();
    };
    carpet.steps.forEach((step, index) => {
      for (const p of step.refreshed) sign(p, index, [[0, -1], [1, 1], [-1, 1]]);
      for (const p of step.revised) sign(p, index, CROSS);
    });
    c.strokeStyle = 'rgba(0,0,0,.55)';
    c.setLineDash([4, 3]);
    for (let edge = carpet.blockLength; edge < carpet.genLength; edge += carpet.blockLength) {
      c.beginPath(); c.moveTo(g.left + edge * cell, g.top); c.lineTo(g.left + edge * cell, g.top + g.height); c.stroke();
    }
    c.setLineDash([]);
    c.strokeStyle = '#D55E00'; c.lineWidth = 2;
    c.strokeRect(g.left, g.top + current * g.rowHeight, g.width, g.rowHeight);
    c.fillStyle = '#333333'; c.font = '11px system-ui, sans-serif'; c.textBaseline = 'middle'; c.textAlign = 'right';
    const every = Math.max(1, Math.ceil(carpet.steps.length / 8));
    for (let index = 0; index < carpet.steps.length; index += every) {
      c.fillText(String(carpet.steps[index].step), g.left - 6, g.top + (index + 0.5) * g.rowHeight);
    }
    c.textBaseline = 'top';
    for (let edge = 0; edge <= carpet.genLength; edge += carpet.blockLength) {
      c.textAlign = edge === 0 ? 'left' : edge === carpet.genLength ? 'right' : 'center';
      c.fillText(String(edge), g.left + edge * cell, g.top + g.height + 4);
    }
    c.textAlign = 'center';
    c.fillText('position in the answer (down: steps)', g.left + g.width / 2, g.top + g.height + 19);
  }
  function stop() { clearInterval(timer); timer = null; play.textContent = 'Play'; }
  play.addEventListener('click', () => {
    if (timer !== null) { stop(); return; }
    let index = Number(range.value);
    if (index === carpet.steps.length - 1) index = -1;
    play.textContent = 'Pause';
    timer = setInterval(() => { index += 1; show(index); if (index >= carpet.steps.length - 1) stop(); },
      Math.max(60, Math.min(350, 12000 / carpet.steps.length)));
  });
  range.addEventListener('input', () => { stop(); show(Number(range.value)); });
  pick.addEventListener('change', () => { stop(); load(); });
  const seek = (event) => {
    const g = geometry(), box = canvas.getBoundingClientRect();
    const index = Math.floor((event.clientY - box.top - g.top) / g.rowHeight);
    stop(); show(Math.max(0, Math.min(carpet.steps.length - 1, index)));
  };
  const seekTime = (event) => {
    const ends = ENDS(), box = lanes.getBoundingClientRect();
    const ms = ((event.clientX - box.left - 66) / (lanes.clientWidth - 124)) * ends[ends.length - 1];
    const index = ends.findIndex((end) => end >= ms);
    stop(); show(ms < 0 ? 0 : index < 0 ? ends.length - 1 : index);
  };
  lanes.addEventListener('pointerdown', seekTime);
  lanes.addEventListener('pointermove', (event) => { if (event.buttons === 1) seekTime(event); });
  canvas.addEventListener('pointerdown', seek);
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons === 1) { hideTip(); seek(event); return; }
    const g = geometry(), box = canvas.getBoundingClientRect();
    const p = Math.floor((event.clientX - box.left - g.left) / (g.width / carpet.genLength));
    const index = Math.floor((event.clientY - box.top - g.top) / g.rowHeight);
    if (p < 0 || p >= carpet.genLength || index < 0 || index >= carpet.steps.length) hideTip();
    else showTip(event, 'step ' + carpet.steps[index].step + '\\n' + says(p, index));
  });
  canvas.addEventListener('pointerleave', hideTip);
  text.addEventListener('pointermove', (event) => {
    const p = [...text.children].indexOf(event.target);
    if (p < 0) hideTip(); else showTip(event, says(p, Number(range.value)));
  });
  text.addEventListener('pointerleave', hideTip);
  addEventListener('resize', () => { drawCarpet(Number(range.value)); drawLanes(Number(range.value)); });
  // Before the first drawing: a hidden canvas has no width.
  root.hidden = false;
  pick.value = String(Math.max(0, pick.options.length - 1));
  load();
}
for (const root of document.querySelectorAll('.carpet')) player(root);
`.trim();
