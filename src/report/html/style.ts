/** The style of the pages: light and dark by the reader's setting, a phone's width, paper. */
export const style = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;--panel:#f6f8fa;--link:#0550ae;--good:#1a7f37;--goodbg:#dafbe1;--bad:#b3261e;--badbg:#ffe3e0;--warn:#7a4d00;--warnbg:#fff3cd;--value:#d5e7f7;--owner:#b9d6f5;--ownerline:#0550ae;--stage:#c9d1d9;--long:#f6b26b;--slow:#9a6700;--unknown:#6e7781;--grid:#e4e8ec}
@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#a5b0bc;--line:#3d444d;--panel:#161b22;--link:#79b8ff;--good:#56d364;--goodbg:#0f2d17;--bad:#ff8a80;--badbg:#3d1513;--warn:#f0c35a;--warnbg:#33270a;--value:#1b3a57;--owner:#1c4570;--ownerline:#79b8ff;--stage:#424a53;--long:#8a4b00;--slow:#e3b341;--unknown:#9aa4af;--grid:#262c33}}
@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--soft:#444;--line:#bbb;--panel:#fff;--link:#000;--good:#1a7f37;--goodbg:#fff;--bad:#b3261e;--badbg:#fff;--warn:#7a4d00;--warnbg:#fff;--value:#d5e7f7;--owner:#b9d6f5;--ownerline:#0550ae;--stage:#c9d1d9;--long:#f6b26b;--slow:#9a6700;--unknown:#6e7781;--grid:#e4e8ec}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:76rem;padding:1rem 1.25rem 3rem;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;overflow-wrap:anywhere;print-color-adjust:exact;-webkit-print-color-adjust:exact}
h1{font-size:1.35rem;line-height:1.25;margin:.4rem 0}
h2{font-size:1.1rem;margin:2rem 0 .6rem;padding-top:.5rem;border-top:1px solid var(--line)}
h3,h2.minor{font-size:.82rem;margin:.7rem 0 .15rem;color:var(--soft);font-weight:600}
h2.minor{border:0;padding:0}
p{margin:.4rem 0;max-width:75ch}
a{color:var(--link)}
a:focus-visible,summary:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.small{font-size:.85rem;color:var(--soft)}
.hidden{position:absolute;width:0;height:0}
.verdict{display:inline-block;margin:0;padding:.15rem .7rem;border-radius:.4rem;border:2px solid currentColor;font-weight:700;font-size:1.1rem;letter-spacing:.03em}
.pass{color:var(--good);background:var(--goodbg)}
.fail{color:var(--bad);background:var(--badbg)}
.inconclusive{color:var(--warn);background:var(--warnbg)}
.what{color:var(--soft);margin:0;max-width:none}
.what span{display:inline-block;margin-right:1rem}
.outcome{font-weight:600;white-space:nowrap;background:none}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.7rem;margin:.9rem 0;padding:0}
.figures>div{border:1px solid var(--line);border-radius:.5rem;background:var(--panel);padding:.6rem .8rem;min-width:0}
.figures .rto{grid-column:span 2}
.figures dt{font-size:.82rem;color:var(--soft)}
.figures dd{margin:0}
.figures dd b{display:block;font-size:1.3rem;line-height:1.3;font-variant-numeric:tabular-nums}
.figures .rto dd b{font-size:1.9rem}
.figures dd span{display:block;font-size:.85rem}
nav{font-size:.85rem}
nav a{margin-right:.9rem;display:inline-block;padding:.15rem 0}
ul{padding-left:1.2rem;margin:.4rem 0}
table{border-collapse:collapse;width:100%;font-size:.85rem;margin:.5rem 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.28rem .6rem .28rem 0;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600;min-width:5rem}
tbody th{font-weight:500}
.log th{white-space:nowrap;width:7rem}
pre{font:12px/1.45 ui-monospace,"Liberation Mono",monospace;background:var(--panel);border:1px solid var(--line);border-radius:.4rem;padding:.6rem;white-space:pre-wrap}
details>summary{cursor:pointer;padding:.25rem 0;color:var(--link)}
li>details>summary{padding:0;color:inherit}
.suite thead th,.drills thead th{overflow-wrap:break-word}
td .bar{min-width:9rem}
.lanes{margin:.5rem 0}
.lane{display:grid;grid-template-columns:11rem minmax(0,1fr);align-items:center}
.lane .label{font-size:.8rem;padding-right:.6rem;text-align:right;line-height:1.2}
.band{display:block;width:100%}
svg text{font-size:10.5px;fill:var(--fg)}
.in{paint-order:stroke;stroke:var(--bg);stroke-width:3px;stroke-linejoin:round}
.axis text,.yaxis text{fill:var(--soft)}
.grid{stroke:var(--grid)}
.guide{stroke-width:1.5}
.guide.effect{stroke:var(--bad)}
.guide.recovered{stroke:var(--good);stroke-dasharray:5 3}
.good{fill:var(--good)}
.value{fill:var(--value);stroke:var(--good);stroke-width:1}
.edge{fill:url(#edge);stroke:var(--bad);stroke-width:1}
.down{fill:url(#hatch);stroke:var(--bad);stroke-width:1}
.slow{fill:url(#stripes);stroke:var(--slow);stroke-width:1}
.unknown,.maybe{fill:url(#dots);stroke:var(--unknown);stroke-width:1;stroke-dasharray:2 2}
.owner{fill:var(--owner);stroke:var(--ownerline);stroke-width:1}
.none{fill:var(--bg);stroke:var(--bad);stroke-width:1.5;stroke-dasharray:4 2}
.multiple{fill:url(#cross);stroke:var(--bad);stroke-width:1}
.fault{fill:var(--badbg);stroke:var(--bad);stroke-width:1}
.stage,.phase{fill:var(--stage);stroke:var(--bg);stroke-width:1}
.longest{fill:var(--long);stroke:var(--fg);stroke-width:1}
.calm{fill:var(--stage)}
.pressed{fill:var(--long);stroke:var(--fg);stroke-width:1}
.starved{fill:url(#cross);stroke:var(--bad);stroke-width:1}
.track{fill:var(--panel);stroke:var(--line);stroke-width:1}
.sure{fill:var(--link)}
.might{fill:url(#might);stroke:var(--link);stroke-width:1}
.might-line{fill:var(--link)}
.limit{stroke:var(--fg);stroke-width:2}
.predicted{stroke:var(--link);stroke-width:1.5}
.hatch-ground{fill:var(--badbg)}.hatch-line,.edge-line{fill:var(--bad)}
.cross-ground{fill:var(--badbg)}.cross-line{stroke:var(--bad);stroke-width:1.3}
.dot{fill:var(--unknown)}.stripe{fill:var(--slow)}
.marker{fill:var(--bg);stroke:var(--fg);stroke-width:1.5}
.marker.effect{fill:var(--bad)}
.marker.acked,.marker.healed{fill:none}
.marker.healed{stroke:var(--good);stroke-width:2.5}
.marker.mark{stroke:var(--link);fill:none}
.gauge,.bar{display:block;width:100%}
.gauge{margin-top:.4rem}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.8rem;color:var(--soft);padding:0;margin:.6rem 0;list-style:none}
.legend svg{width:26px;height:16px;vertical-align:middle;margin-right:.35rem}
.waterfall{list-style:none;padding:0;margin:.5rem 0}
.waterfall li{display:grid;grid-template-columns:13rem 9rem minmax(0,1fr);column-gap:.8rem;align-items:center;padding:.2rem 0;border-bottom:1px solid var(--line);font-size:.88rem}
.waterfall .took{text-align:right;font-variant-numeric:tabular-nums}
.waterfall .note{grid-column:3;font-size:.8rem;color:var(--soft)}
.dominant .name{font-weight:700}
em{font-style:normal;font-size:.75rem;font-weight:600;border:1px solid currentColor;border-radius:.3rem;padding:0 .3rem;margin-left:.2rem;white-space:nowrap}
figure{margin:.6rem 0 1rem}
figcaption{font-size:.85rem}
.spread{fill:var(--value)}
.p50,.p99{fill:none;stroke:var(--link);stroke-width:1.6;vector-effect:non-scaling-stroke}
.p99{stroke:var(--slow);stroke-dasharray:4 3}
.outage{fill:url(#edge);opacity:.35}
footer{margin-top:2rem;font-size:.8rem;color:var(--soft)}
@media screen and (max-width:44rem){
body{padding:.75rem .75rem 2rem}
.wide{display:none}
.figures{grid-template-columns:repeat(2,minmax(0,1fr))}
.figures .rto,.figures .most{grid-column:1/-1}
.lane{grid-template-columns:minmax(0,1fr)}
.lane .label{text-align:left;padding:0}
.axis .label,.yaxis{display:none}
.lane{margin-bottom:.1rem}
.waterfall li{grid-template-columns:minmax(0,1fr) auto}
.waterfall .bar,.waterfall .note{grid-column:1/-1}
}
@media screen and (max-width:60rem){
table.cards,table.cards tbody,table.cards tr,table.cards th,table.cards td{display:block;padding-right:0}
table.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.cards tr{border-bottom:1px solid var(--line);padding:.35rem 0}
table.cards th,table.cards td{border:0;padding:.05rem 0}
table.cards tbody th{font-weight:700}
table.cards td{display:grid;grid-template-columns:6.5rem minmax(0,1fr);column-gap:.4rem}
table.cards td::before{content:attr(data-name);color:var(--soft)}
table.cards td svg{grid-column:2}
.suite tbody th::before{content:"row "}
table.cards td:empty{display:none}
}
@media print{
@page{margin:12mm}
html{font-size:11px}
body{padding:0;font-size:1rem;max-width:none}
nav{display:none}
a{text-decoration:none}
h2,h3,figcaption{break-after:avoid}
.lane,.figures>div,.waterfall li,tr,figure{break-inside:avoid}
li>details::details-content{content-visibility:visible;block-size:auto}
.closed{display:none}
pre{font-size:9px}
}
`;
