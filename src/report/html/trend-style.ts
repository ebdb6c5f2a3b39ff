/** The trend page's additional style. */
export const trendStyle = `
.trends{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:.4rem 1.6rem}
.trends figure{margin:.4rem 0;min-width:0}
.trends figcaption b{display:block}
.trend{display:grid;grid-template-columns:3.4rem minmax(0,1fr)}
.trend .yaxis{display:block}
.ground{fill:var(--panel);stroke:var(--line)}
.budget{stroke:var(--fg);stroke-width:1.5;stroke-dasharray:7 4}
.budgettext{font-weight:600}
.release{stroke:var(--soft);stroke-dasharray:2 3}
.error{stroke:var(--soft);stroke-width:1.3;fill:none}
.point{fill:none;stroke-width:2}
.point.pass{fill:var(--good);stroke:var(--bg);stroke-width:1}
.point.fail{stroke:var(--bad);stroke-width:2.6}
.point.inconclusive{fill:var(--bg);stroke:var(--warn)}
.point.unhealed{fill:var(--bad);stroke:var(--fg)}
`;
