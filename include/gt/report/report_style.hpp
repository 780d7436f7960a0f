// SPDX-License-Identifier: MIT
// How a report looks: on a phone and on a desk, in light and dark, on paper.
#pragma once

#include <string>
#include <string_view>

#include "gt/base/error.hpp"

namespace gt::inline GT_ABI::report {

/// The style of a page.
inline constexpr char report_css[] =
    R"css(:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#565e68;--rule:#d6dbe1;--wash:#f4f5f7}
@media (prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e4e7eb;--quiet:#a3abb5;--rule:#363c44;--wash:#1e2227}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:54rem;padding:2.5rem 1rem 3rem;background:var(--paper);color:var(--ink);
 font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:break-word}
h1{margin:0 0 1rem;font-size:1.75rem;line-height:1.2}
h2{margin:3rem 0 1rem;font-size:1.25rem;line-height:1.3}
h3{margin:2rem 0 .5rem;font-size:1rem}
p{margin:.6rem 0;max-width:44rem}
.lead{font-size:1.15rem}
.lead strong{white-space:nowrap}
.note{padding:.6rem .9rem;border-left:.25rem solid var(--gt-1);background:var(--wash)}
figure{margin:1.5rem 0 2.25rem}
figcaption{margin-top:.6rem;max-width:44rem;color:var(--quiet);font-size:.9rem}
figure svg{display:block;width:100%;height:auto}
.narrow{display:none}
.scroll{overflow-x:auto}
table{border-collapse:separate;border-spacing:0;font-size:.9rem;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:.375rem .75rem;line-height:1.5rem;border-bottom:1px solid var(--rule);text-align:right;font-weight:400}
.prose{white-space:normal}
.prose th,.prose td{text-align:left;vertical-align:top;line-height:1.3rem}
thead th{min-width:3.5rem;line-height:1.25rem;vertical-align:bottom;white-space:normal;color:var(--quiet);font-size:.8rem}
tr :first-child{position:sticky;left:0;padding-left:0;background:var(--paper);text-align:left}
.sample{margin:.5rem 0;padding:.8rem 1rem;max-width:44rem;background:var(--wash);white-space:pre-wrap;
 font-family:Charter,Georgia,"Noto Serif",serif;overflow-wrap:anywhere}
.glyphs{display:grid;grid-template-columns:repeat(auto-fill,minmax(4.6rem,1fr));gap:.9rem .4rem;margin:0 0 1rem;padding:0;
 list-style:none}
.glyphs li{text-align:center;overflow:hidden}
.glyphs svg{display:inline;width:64px;height:64px;background:var(--wash)}
.glyphs bdi{display:block;overflow:hidden;color:var(--quiet);font:.75rem/1.5 ui-monospace,Menlo,Consolas,monospace;
 text-overflow:ellipsis;white-space:nowrap}
pre{margin:.6rem 0 1.5rem;padding:.8rem 1rem;background:var(--wash);font:.85rem/1.5 ui-monospace,Menlo,Consolas,monospace;
 white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:fit-content(14rem) minmax(0,1fr);gap:.35rem 1.25rem;margin:0;font-size:.9rem}
dt{color:var(--quiet);overflow-wrap:anywhere}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--quiet);font-size:.85rem}
@media (max-width:40rem){
 body{padding-top:1.5rem}
 h1{font-size:1.45rem}
 .lead{font-size:1.05rem}
 .wide{display:none}
 .narrow{display:block}
 .glyphs{grid-template-columns:repeat(auto-fill,minmax(3.4rem,1fr))}
 .glyphs svg{width:48px;height:48px}
 dl{grid-template-columns:minmax(0,1fr);gap:0}
 dd{margin-bottom:.6rem}
}
@media print{
 @page{margin:16mm}
 :root{color-scheme:light;--paper:#fff;--ink:#000;--quiet:#333;--rule:#999;--wash:#fff}
 html{font-size:10pt}
 body{max-width:none;padding:0}
 .wide{display:block;width:80%}
 .narrow{display:none}
 h2{margin-top:1.75rem}
 figure{margin:.75rem 0 1.5rem}
 .scroll{overflow:visible}
 thead th{min-width:0}
 th,td{padding:.1rem .5rem}
 h2,h3{break-after:avoid}
 figure,tr,.glyphs li{break-inside:avoid}
 .sample,pre{padding-left:.6rem;border-left:1px solid var(--rule)}
 .glyphs{grid-template-columns:repeat(12,1fr)}
 .glyphs svg{width:32px;height:32px}
}
)css";

/// A page that is complete in itself, of a title, which is text, and the markup of its main part and of its foot.
std::string html_page(std::string_view title, std::string_view body, std::string_view foot = {});

}  // namespace gt::report

#if !defined(GT_PREBUILT)
  #include "gt/report/report_style_impl.hpp"
#endif
