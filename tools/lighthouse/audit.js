/* Measure pages of the built book on a slow phone, as Lighthouse imagines one.

     node audit.js FOLDER [page ...]        pages as in _toc.yml; without any, all

   The pages are served compressed, as a public server would do it. One line a page: the four
   scores of 100; the seconds until the first words show; kilobytes transferred, of the page's
   own and with what all pages share. It fails if a score is below 95 or a page's own weight is
   above 1000 kB. Of three runs the best counts: whatever else the machine does only slows a page. */
import { readdirSync } from "node:fs";
import { createServer } from "node:http";

import { launch } from "chrome-launcher";
import compression from "compression";
import lighthouse from "lighthouse";
import handler from "serve-handler";

const LEAST = 95;
const MOST = 1000;
const RUNS = 3;
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"];

const [folder, ...named] = process.argv.slice(2);
const found = readdirSync(folder, { recursive: true }).filter((name) => /^book\/.*\.html$/.test(name));
const pages = named.length ? named : found.map((name) => name.replace(/\.html$/, "")).sort();

const compress = compression();
const server = createServer((request, response) =>
  compress(request, response, () => handler(request, response, { public: folder, cleanUrls: false })),
);
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const chrome = await launch({ chromeFlags: FLAGS });

async function measure(page) {
  const address = `http://127.0.0.1:${server.address().port}/${page}.html`;
  const { lhr } = await lighthouse(address, { port: chrome.port, logLevel: "silent" });
  const requests = lhr.audits["network-requests"].details.items;
  const weigh = (chosen) => Math.round(chosen.reduce((sum, { transferSize }) => sum + transferSize, 0) / 1000);
  const complaints = Object.values(lhr.categories).flatMap(({ auditRefs }) =>
    auditRefs.filter(({ id, weight }) => weight && lhr.audits[id].score < 0.9).map(({ id }) => id),
  );
  return {
    scores: Object.values(lhr.categories).map(({ score }) => Math.round(100 * score)),
    seconds: lhr.audits["first-contentful-paint"].numericValue / 1000,
    own: weigh(requests.filter(({ url }) => !new URL(url).pathname.startsWith("/_static/"))),
    all: weigh(requests),
    complaints,
  };
}

console.log(`${"page".padEnd(32)} speed access practices search  first s  own kB  all kB`);
let failed = false;
for (const page of pages) {
  let best;
  for (let run = 0; run < RUNS && !(Math.min(...(best?.scores ?? [0])) >= LEAST); run++) {
    const now = await measure(page);
    if (!best || now.scores[0] > best.scores[0]) best = now;
  }
  const [speed, access, practices, search] = best.scores.map(String);
  const columns = [speed.padStart(5), access.padStart(6), practices.padStart(9), search.padStart(6)];
  columns.push(best.seconds.toFixed(2).padStart(8), String(best.own).padStart(7), String(best.all).padStart(7));
  const bad = Math.min(...best.scores) < LEAST || best.own > MOST;
  console.log(page.padEnd(32), columns.join(" "), bad ? `  ${best.complaints.join(", ")}` : "");
  failed ||= bad;
}
await chrome.kill();
server.close();
if (failed) {
  console.log(`Below ${LEAST} in some score, or above ${MOST} kB, where audits are named.`);
  process.exitCode = 1;
}
