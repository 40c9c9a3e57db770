/** The look of a report page. Contrast is at least 4.5:1 in both settings. */
export const reportStyle = `
:root{--paper:#f6f7f9;--card:#fff;--ink:#1f2937;--soft:#4b5563;--line:#e3e6ea;--accent:#0062a3;
--good:#00694f;--good-bg:#e3f5ef;--bad:#a33a0b;--bad-bg:#fdeee6;--even:#475569;--even-bg:#eef1f5}
@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--card:#161b22;--ink:#dfe5ec;--soft:#a6b0bd;--line:#2b323b;
--accent:#6cbcf0;--good:#5ddcb4;--good-bg:#0f2a23;--bad:#ffab80;--bad-bg:#33190d;--even:#b6c2d1;--even-bg:#1c232d}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}
main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:32px;line-height:1.2;margin:0;letter-spacing:-.02em}
h2{font-size:20px;line-height:1.3;margin:0 0 12px}
p{margin:0 0 12px;max-width:75ch}
.subtitle{color:var(--soft);margin:6px 0 0}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:24px;margin-top:20px;overflow:hidden}
.verdict{display:flex;gap:18px;align-items:flex-start;border-width:0;margin-top:28px}
.verdict h2{font-size:22px;margin:0 0 4px}.verdict p{margin:0;color:var(--ink)}
.verdict .mark{flex:none;width:40px;height:40px;border-radius:50%;display:grid;place-items:center;font-size:22px;font-weight:700;color:var(--card)}
.good{background:var(--good-bg)}.good h2{color:var(--good)}.good .mark{background:var(--good)}
.bad{background:var(--bad-bg)}.bad h2{color:var(--bad)}.bad .mark{background:var(--bad)}
.neutral{background:var(--even-bg)}.neutral h2{color:var(--even)}.neutral .mark{background:var(--even)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0 0}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 16px}
.facts dd{margin:0;font-size:24px;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
.facts dt{color:var(--soft);font-size:13.5px;line-height:1.35}
.scroll{overflow-x:auto;margin-bottom:12px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:14px;padding-bottom:8px}
th,td{padding:9px 12px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child{text-align:left}thead th{color:var(--soft);font-size:13.5px;font-weight:600}
tbody th{font-weight:600}tbody tr:last-child>*{border-bottom:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:16px}
.chart{width:100%;height:auto;border:1px solid var(--line);border-radius:10px;display:block}
.comparison{display:grid;gap:10px}
.of-2{grid-template-columns:repeat(2,1fr)}.of-3{grid-template-columns:repeat(3,1fr)}.of-4{grid-template-columns:repeat(4,1fr)}
.comparison .head{font-size:13.5px;font-weight:600;color:var(--soft)}
figure{margin:0}figure img{display:block;width:100%;height:auto;border-radius:8px;border:1px solid var(--line)}
figcaption{font-size:13px;color:var(--soft);padding-top:4px;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}.wide img{min-width:720px}
pre{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:14px 16px;margin:0 0 12px;overflow-x:auto;font:14px/1.6 ui-monospace,'DejaVu Sans Mono',monospace}
.files{list-style:none;margin:0;padding:0}.files li{padding:6px 0;border-bottom:1px solid var(--line)}
.files li:last-child{border:0}.files a{color:var(--accent);font-weight:600}.files span{color:var(--soft);font-size:14.5px}
footer{color:var(--soft);font-size:13.5px;margin-top:24px}
@media print{body{background:#fff}section{break-inside:avoid}}
@media(max-width:640px){main{padding:24px 14px}.comparison{gap:6px}section{padding:16px}}
`.trim();
