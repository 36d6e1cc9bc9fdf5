/** Style sheet of the HTML report: system fonts, light and dark by the reader's setting, prints well. */
export const REPORT_STYLE = `
:root { color-scheme: light dark; --ink: #1c2733; --soft: #5b6875; --line: #dde3e9; --paper: #ffffff; --card: #f6f8fa;
  --accent: #0b62a8; --mark: #e7f1fa; --warn-ink: #7a4300; --warn: #fff3dc; --warn-line: #f0c987; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e9ef; --soft: #98a5b3; --line: #2b3540; --paper: #11161c;
  --card: #182029; --accent: #6db4f2; --mark: #16293b; --warn-ink: #ffd591; --warn: #33260f; --warn-line: #6b4f1d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.banner { background: var(--warn); color: var(--warn-ink); border-bottom: 1px solid var(--warn-line); padding: .55rem 1rem;
  text-align: center; font-weight: 600; position: sticky; top: 0; z-index: 1; }
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.015em; margin: 1rem 0 .25rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .25rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 2rem 0 .25rem; }
p.note, .lead { color: var(--soft); margin: .1rem 0 .8rem; max-width: 48rem; }
ul.protocol { color: var(--soft); font-size: .9rem; padding-left: 1.1rem; max-width: 52rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; margin: 1.4rem 0; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.figure b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
.figure span { color: var(--soft); font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; min-width: 30rem; }
th, td { text-align: right; padding: .38rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: nowrap; }
th:first-child, td:first-child, table.two th:nth-child(2), table.two td:nth-child(2) { text-align: left; }
thead th { font-weight: 600; color: var(--soft); white-space: normal; vertical-align: bottom; border-bottom-width: 2px; }
td small { display: block; color: var(--soft); font-size: .74rem; }
tr.model td { background: var(--mark); font-weight: 600; }
tr.model td small { font-weight: 400; }
details summary { cursor: pointer; font-weight: 600; margin: 2rem 0 .4rem; }
.chart svg { width: 100%; height: auto; max-width: 60rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; margin-top: 1rem; }
.gallery figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow: hidden; }
.gallery img { display: block; width: 100%; background: #000; }
.gallery figcaption { padding: .6rem .8rem .7rem; font-size: .88rem; line-height: 1.4; }
.gallery figcaption small { display: block; color: var(--soft); margin-top: .2rem; }
.legend { font-size: .88rem; color: var(--soft); margin: 0; }
.key { display: inline-block; width: 1.6rem; vertical-align: middle; margin: 0 .4rem 0 1.4rem; }
.key.prediction { border-top: 3px solid #1fb6d6; } .key.truth { border-top: 3px dashed #4fb83a; }
.key.heat { height: .6rem; width: 4rem; margin-left: 0; border-radius: .2rem;
  background: linear-gradient(90deg, #000004, #57106e, #bc3754, #f98e09, #fcffa4); }
@media print { .banner { position: static; } details { display: block; } }
`;
