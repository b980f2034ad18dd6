import { PALETTE } from '../figures/style.js';

/** Style of the report. No imports, no web fonts: the page is complete in itself. */
export const STYLE_SHEET = `
:root { color-scheme: light dark; --ink: #1c1c1c; --soft: #5b5b5b; --line: #d5d5d5; --page: #ffffff; --card: #f6f7f8;
  --accent: ${PALETTE.blue}; --warn: #9a5b00; --bad: #b02a00; --good: #00694d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --soft: #a8a8a8; --line: #3d4145; --page: #16181a;
  --card: #1f2225; --accent: ${PALETTE.sky}; --warn: ${PALETTE.orange}; --bad: #ff8a5c; --good: #3ccba0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 72rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "DejaVu Sans", Verdana, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
p, li { max-width: 48rem; }
.lead { font-size: 1.02rem; }
.soft, figcaption, caption { color: var(--soft); }
figcaption, caption { font-size: .86rem; max-width: 48rem; text-align: left; }
nav a { margin-right: 1rem; }
a { color: var(--accent); }
figure { margin: 1rem 0; }
.plate { background: #ffffff; border: 1px solid var(--line); border-radius: 4px; padding: .5rem; overflow-x: auto; scrollbar-width: thin; }
.plate svg { display: block; width: 100%; max-width: 60rem; min-width: 34rem; height: auto; margin: 0 auto; }
/* A chart keeps its marks and hues; light and dark change places. */
@media (prefers-color-scheme: dark) { .plate { background: #141414; }
  .plate svg, .carpet canvas, .legend i, .legend .sign { filter: invert(.92) hue-rotate(180deg); } }
@media print { .plate svg, .carpet canvas, .legend i, .legend .sign { filter: none; } }
.tip { position: fixed; z-index: 9; max-width: 22rem; padding: .3rem .6rem; border-radius: 4px; pointer-events: none;
  background: var(--ink); color: var(--page); font-size: .84rem; white-space: pre-line; }
.json pre { max-height: 24rem; overflow: auto; background: var(--card); border: 1px solid var(--line); padding: .6rem; font-size: .8rem; }
summary { cursor: pointer; color: var(--accent); } details { margin: .4rem 0; }
.sign { width: .85em; height: .85em; margin-right: .4em; vertical-align: -1px; }
h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
/* A shadow at an edge says that there is more behind it. */
.scroll { overflow-x: auto; scrollbar-width: thin; background:
  linear-gradient(to right, var(--page) 30%, transparent) left / 2.5rem 100% local,
  linear-gradient(to left, var(--page) 30%, transparent) right / 2.5rem 100% local,
  linear-gradient(to right, rgba(127, 127, 127, .45), transparent) left / .8rem 100% scroll,
  linear-gradient(to left, rgba(127, 127, 127, .45), transparent) right / .8rem 100% scroll; background-repeat: no-repeat; }
table { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums; margin: .4rem 0; }
/* A caption stays in view while its table is moved aside. */
caption { caption-side: top; padding: .2rem 0 .5rem; position: sticky; left: 0; max-width: min(48rem, calc(100vw - 2.6rem)); }
code { font-size: .94em; }
th, td { padding: .25rem .55rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { font-weight: 600; vertical-align: bottom; }
thead tr:first-child th[colspan] { text-align: center; border-bottom: 1px solid var(--soft); }
th[scope=row], .text { text-align: left; }
.wrap { white-space: normal; min-width: 14rem; text-align: left; }
.paper { color: var(--soft); }
.exact { color: var(--good); } .diverges { color: var(--bad); font-weight: 700; } .not-expected { color: var(--warn); }
.kind { display: inline-block; border: 1px solid currentColor; border-radius: 3px; padding: 0 .35rem; font-size: .78rem; }
.kind.fitted, .kind.assumed { color: var(--warn); }
.notice { border-left: 4px solid var(--warn); background: var(--card); padding: .5rem .9rem; margin: 1rem 0; }
.notice p, .notice ul { margin: .25rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
code, .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .92em; }
.player { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: .5rem 0; }
.player input[type=range] { flex: 1 1 14rem; accent-color: var(--accent); }
button, select { font: inherit; padding: .2rem .7rem; }
.downloads { margin: .3rem 0; } .downloads button { font-size: .84rem; }
.player output { min-width: 15rem; font-variant-numeric: tabular-nums; }
.lanes { margin-top: .6rem; }
.carpet canvas { display: block; width: 100%; cursor: crosshair; border: 1px solid var(--line); background: #ffffff; }
.decoded { background: var(--card); border: 1px solid var(--line); border-radius: 4px; padding: .7rem .8rem; min-height: 8.5rem;
  font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85rem; line-height: 1.75; overflow-wrap: anywhere; }
.decoded span { border-radius: 2px; white-space: pre-wrap; }
.t-M { color: #999999; } .t-I { color: var(--accent); } .t-V { background: #f6d487; color: #2b1d00; }
.t-S { color: var(--ink); } .t-draft { color: var(--soft); font-style: italic; } .t-end { color: #999999; }
.t-now { outline: 2px solid var(--accent); outline-offset: -1px; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .84rem; padding: 0; list-style: none; }
.legend i { display: inline-block; width: .85em; height: .85em; margin-right: .4em; border: 1px solid #999999; vertical-align: -1px; }
@media print { body { max-width: none; font-size: 10pt; } .player button, .player select, .player input, .downloads { display: none; }
  h2, figure, tr { break-inside: avoid; } table { font-size: 7.5pt; } th, td { padding: .15rem .3rem; } }
`.trim();
